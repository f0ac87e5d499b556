import { type EventEmitter, on, once } from 'node:events'
import { expect } from 'chai'
import { expectTypeOf } from 'expect-type'
import * as v from 'valibot'
import { z } from 'zod'
import type * as lahja from '../src'
import {
  defineEvent,
  defineRequest,
  type Endpoint,
  type Event,
  type EventDefinition,
  type LahjaError,
  type LahjaErrorCode,
  type Loss,
  type PayloadOf,
  type Peer,
  type Reply,
  type RequestDefinition,
  type RequestEvent,
  type Unauthenticated,
} from '../src'
import { typeErrorsIn } from './support/type-errors'

interface Order {
  readonly id: string
  readonly total: number
}

const OrderPlaced = defineEvent<Order>('types.order.placed')
const Tick = defineEvent('types.tick')
const Noted = defineEvent<string | undefined>('types.noted')
const GetOrder = defineRequest<{ id: string }, Order>('types.order.get')
const Ping = defineRequest('types.ping')

const dated = z.object({ at: z.string().transform((text) => new Date(text)), kind: z.string().default('none') })
const Dated = defineEvent('types.dated', dated)
const Bounded = defineEvent('types.bounded', { schema: dated, boundary: 'internal' })
const Measured = defineEvent('types.measured', v.object({ length: v.pipe(v.string(), v.transform(Number)) }))
const Count = defineRequest('types.count', {
  request: z.object({ since: z.string().transform((text) => new Date(text)) }),
  response: z.object({ count: z.number().transform((number) => `${number}`) }),
})

/** The payload of `Dated` as sent, and as received. */
type Sent = { at: string; kind?: string | undefined }
type Received = { at: Date; kind: string }

/** Never called: the test is that `npm run types` compiles it. */
type Calls = (endpoint: Endpoint) => unknown

/** Type-checked only; the run lists its title. */
function compiles(what: string, _: Calls): void {
  it(what, () => {})
}

describe('The types of a definition', () => {
  it('carry the payload as sent and as received', () => {
    expectTypeOf(OrderPlaced).toEqualTypeOf<EventDefinition<Order>>()
    expectTypeOf(Tick).toEqualTypeOf<EventDefinition<void>>()
    expectTypeOf(Dated).toEqualTypeOf<EventDefinition<Received, Sent>>()
    expectTypeOf(Bounded).toEqualTypeOf<EventDefinition<Received, Sent>>()
    expectTypeOf(Measured).toEqualTypeOf<EventDefinition<{ length: number }, { length: string }>>()
    expectTypeOf<PayloadOf<typeof Dated>>().toEqualTypeOf<Received>()
    expectTypeOf<PayloadOf<string>>().toEqualTypeOf<unknown>()
  })

  it('carry request and response as sent and as received', () => {
    expectTypeOf(GetOrder).toEqualTypeOf<RequestDefinition<{ id: string }, Order>>()
    expectTypeOf(Ping).toEqualTypeOf<RequestDefinition<void, void>>()
    expectTypeOf(Count).toEqualTypeOf<
      RequestDefinition<{ since: string }, { count: string }, { since: Date }, { count: number }>
    >()
  })

  compiles('distinguish payloads, and events from requests', (endpoint) => [
    // @ts-expect-error another payload
    (): EventDefinition<string> => OrderPlaced,
    // @ts-expect-error received as another type
    (): EventDefinition<Sent, Sent> => Dated,
    // @ts-expect-error a request is not an event
    (): EventDefinition<Order> => GetOrder,
    // @ts-expect-error nor the other way round
    (): RequestDefinition<Order, void> => OrderPlaced,
    // @ts-expect-error an object of the same shape, not made by defineRequest
    () => endpoint.request({ kind: 'request', name: 'a' }),
  ])

  compiles('reject unknown options', () => [
    // @ts-expect-error
    () => defineEvent('a', { boundary: 'external' }),
    // @ts-expect-error
    () => defineEvent('a', { boundary: { group: 'web' } }),
    // @ts-expect-error
    () => defineEvent('a', { schema: {} }),
    // @ts-expect-error the name is missing
    () => defineEvent(),
  ])
})

describe('The types of broadcast', () => {
  compiles('take the payload as sent', (endpoint) => [
    endpoint.broadcast(OrderPlaced, { id: 'A1', total: 3 }),
    endpoint.broadcast(Dated, { at: 'noon' }, { to: 'shop' }),
    endpoint.broadcast('types.any', { whatever: 1 }),
    endpoint.broadcastNowait(Measured, { length: '3' }, { except: ['shop'] }),
    expectTypeOf(endpoint.broadcast(OrderPlaced, { id: 'A1', total: 3 })).toEqualTypeOf<Promise<number>>(),
    expectTypeOf(endpoint.broadcastNowait(Tick)).toEqualTypeOf<boolean>(),
  ])

  compiles('allow no payload only if undefined fits', (endpoint) => [
    endpoint.broadcast(Tick),
    endpoint.broadcast(Tick, undefined, { internal: true }),
    endpoint.broadcast(Noted),
    endpoint.broadcast('types.any'),
    // @ts-expect-error the payload is missing
    () => endpoint.broadcast(OrderPlaced),
    // @ts-expect-error
    () => endpoint.broadcastNowait(OrderPlaced),
    // @ts-expect-error a payload is given
    () => endpoint.broadcast(Tick, 7),
  ])

  compiles('reject another payload, an unknown option and a request', (endpoint) => [
    // @ts-expect-error the total is missing
    () => endpoint.broadcast(OrderPlaced, { id: 'A1' }),
    // @ts-expect-error the total is a number
    () => endpoint.broadcastNowait(OrderPlaced, { id: 'A1', total: '3' }),
    // @ts-expect-error sent as text
    () => endpoint.broadcast(Dated, { at: new Date() }),
    // @ts-expect-error there is no such option
    () => endpoint.broadcast(Tick, undefined, { too: 'shop' }),
    // @ts-expect-error a request is not broadcast
    () => endpoint.broadcast(GetOrder, { id: 'A1' }),
    // @ts-expect-error
    () => endpoint.broadcastNowait(Ping),
  ])
})

describe('The types of subscribe, stream and waitFor', () => {
  compiles('give the payload as received', (endpoint) => {
    endpoint.subscribe(OrderPlaced, (event) => expectTypeOf(event).toEqualTypeOf<Event<Order>>())
    endpoint.subscribe(Dated, async ({ payload }) => expectTypeOf(payload).toEqualTypeOf<Received>())
    endpoint.subscribe(Tick, ({ payload }) => expectTypeOf(payload).toEqualTypeOf<void>())
    expectTypeOf(endpoint.waitFor(Measured)).toEqualTypeOf<Promise<Event<{ length: number }>>>()
    expectTypeOf(endpoint.stream(Dated).next()).toEqualTypeOf<Promise<IteratorResult<Event<Received>, undefined>>>()
  })

  compiles('give an unknown payload for type names and patterns', (endpoint) => {
    for (const type of ['types.order.*', 'types.>', 'types.tick']) {
      endpoint.subscribe(type, ({ payload }) => expectTypeOf(payload).toEqualTypeOf<unknown>())
      expectTypeOf(endpoint.waitFor(type)).toEqualTypeOf<Promise<Event<unknown>>>()
      expectTypeOf(endpoint.stream(type).next()).toEqualTypeOf<Promise<IteratorResult<Event<unknown>, undefined>>>()
    }
  })

  compiles('take a handler of part of the payload, and reject one of another payload', (endpoint) => [
    endpoint.subscribe(OrderPlaced, ({ payload }: Event<{ id: string }>) => payload.id),
    // @ts-expect-error
    () => endpoint.subscribe(OrderPlaced, ({ payload }: Event<number>) => payload),
    // @ts-expect-error received as a date
    () => endpoint.subscribe(Dated, ({ payload }) => payload.at.length),
    // @ts-expect-error a request is not subscribed to
    () => endpoint.subscribe(GetOrder, () => {}),
    // @ts-expect-error
    () => endpoint.stream(GetOrder),
    // @ts-expect-error
    () => endpoint.waitFor(GetOrder),
    // @ts-expect-error there is no such option
    () => endpoint.subscribe(Tick, () => {}, { form: 'shop' }),
  ])
})

describe('The types of request, requestAll and respond', () => {
  compiles('take the request as sent and give the response as received', (endpoint) => {
    expectTypeOf(endpoint.request(GetOrder, { id: 'A1' })).toEqualTypeOf<Promise<Order>>()
    expectTypeOf(endpoint.request(Count, { since: 'noon' }, { to: 'shop' })).toEqualTypeOf<Promise<{ count: string }>>()
    expectTypeOf(endpoint.request(Ping)).toEqualTypeOf<Promise<void>>()
    expectTypeOf(endpoint.request('types.any', 7)).toEqualTypeOf<Promise<unknown>>()
    expectTypeOf(endpoint.requestAll(Count, { since: 'noon' })[Symbol.asyncIterator]().next()).toEqualTypeOf<
      Promise<IteratorResult<Reply<{ count: string }>, undefined>>
    >()
  })

  compiles('give responders the request as received and take the response as sent', (endpoint) => {
    endpoint.respond(GetOrder, (event) => {
      expectTypeOf(event).toEqualTypeOf<RequestEvent<{ id: string }>>()
      return { id: event.payload.id, total: 3 }
    })
    endpoint.respond(Count, async ({ payload }) => {
      expectTypeOf(payload).toEqualTypeOf<{ since: Date }>()
      return { count: 3 }
    })
    endpoint.respond(Ping, () => {})
    endpoint.respond('types.any', ({ payload, signal }) => {
      expectTypeOf(payload).toEqualTypeOf<unknown>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      return 7
    })
  })

  compiles('reject another request, another response and an event', (endpoint) => [
    // @ts-expect-error the id is missing
    () => endpoint.request(GetOrder, {}),
    // @ts-expect-error the payload is missing
    () => endpoint.request(GetOrder),
    // @ts-expect-error sent as text
    () => endpoint.request(Count, { since: new Date() }),
    // @ts-expect-error the total is missing
    () => endpoint.respond(GetOrder, ({ payload }) => ({ id: payload.id })),
    // @ts-expect-error missing in the promise too
    () => endpoint.respond(GetOrder, async ({ payload }) => ({ id: payload.id })),
    // @ts-expect-error sent as a number
    () => endpoint.respond(Count, () => ({ count: '3' })),
    // @ts-expect-error an event is not requested
    () => endpoint.request(OrderPlaced, { id: 'A1', total: 3 }),
    // @ts-expect-error nor responded to
    () => endpoint.respond(OrderPlaced, () => {}),
  ])

  it('distinguish responses from failures by error', () => {
    const read = (reply: Reply<Order>) => {
      if (reply.error) {
        expectTypeOf(reply.error).toEqualTypeOf<LahjaError>()
        expectTypeOf(reply.payload).toEqualTypeOf<undefined>()
      } else expectTypeOf(reply.payload).toEqualTypeOf<Order>()
    }
    expectTypeOf(read).parameter(0).toHaveProperty('origin')
  })
})

describe('The types of the questions about subscriptions', () => {
  compiles('take every definition and every type name', (endpoint) => [
    endpoint.isAnyEndpointSubscribedTo(OrderPlaced),
    endpoint.isEndpointSubscribedTo('shop', Dated),
    endpoint.areAllEndpointsSubscribedTo(Tick),
    endpoint.waitUntilAnyEndpointSubscribedTo(GetOrder),
    endpoint.waitUntilEndpointSubscribedTo('shop', Count),
    endpoint.waitUntilAllEndpointsSubscribedTo('types.any'),
    // @ts-expect-error
    () => endpoint.isAnyEndpointSubscribedTo({ name: 'a' }),
  ])
})

describe('The types of the events that an endpoint emits', () => {
  compiles('give listeners the arguments of each event', (endpoint) => [
    endpoint.on('joined', (peer) => expectTypeOf(peer).toEqualTypeOf<Peer>()),
    endpoint.once('lost', (...args) => expectTypeOf(args).toEqualTypeOf<[peer: Peer, loss: Loss]>()),
    endpoint.prependListener('gap', ({ count }) => expectTypeOf(count).toEqualTypeOf<number>()),
    endpoint.on('error', async (error) => expectTypeOf(error).toEqualTypeOf<LahjaError>()),
    endpoint.on('error', console.error).off('error', console.error).removeAllListeners('error'),
    expectTypeOf(endpoint.on('joined', () => {})).toEqualTypeOf(endpoint),
  ])

  compiles('reject unknown names', (endpoint) => [
    // @ts-expect-error
    () => endpoint.on('joinde', () => {}),
    // @ts-expect-error
    () => endpoint.once('joinde', () => {}),
    // @ts-expect-error
    () => endpoint.off('joinde', () => {}),
    // @ts-expect-error
    () => endpoint.addListener('order.placed', () => {}),
    // @ts-expect-error
    () => endpoint.emit('joinde'),
    // @ts-expect-error
    () => endpoint.listenerCount('joinde'),
    // @ts-expect-error
    () => endpoint.removeAllListeners('joinde'),
    // @ts-expect-error
    () => endpoint.on(Symbol('joined'), () => {}),
  ])

  compiles('reject listeners of other arguments', (endpoint) => [
    // @ts-expect-error
    () => endpoint.on('joined', (peer: string) => peer),
    // @ts-expect-error
    () => endpoint.on('joined', (_, loss) => loss),
    // @ts-expect-error
    () => endpoint.emit('gap', 1),
  ])

  compiles('allow an endpoint wherever an emitter is expected', (endpoint) => {
    const emitter: EventEmitter = endpoint
    return [emitter, once(endpoint, 'joined'), on(endpoint, 'left')]
  })

  it('are listed by the compiler where a name is unknown', function () {
    this.timeout(60_000)
    const main = `import { Endpoint } from 'lahja'
      export const listen = (endpoint: Endpoint) => endpoint.on('joinde', () => {})`
    const [error = '', ...others] = typeErrorsIn({ main })
    expect(others).to.deep.equal([])
    const listed = error.replace(/^.* parameter of type '/, '').match(/[\w$]+/g)
    expect(listed?.sort()).to.deep.equal([
      'error',
      'gap',
      'joined',
      'lagging',
      'left',
      'lost',
      'recovered',
      'responsive',
      'slow',
      'subscriptionsChanged',
      'unfinished',
      'unresponsive',
    ])
  })
})

describe('The payload of a definition', () => {
  it('is told by the compiler where another one is sent', function () {
    this.timeout(60_000)
    const main = `import { defineEvent, defineRequest, type Endpoint } from 'lahja'
      const Named = defineEvent<string>('named')
      const Ask = defineRequest<{ id: string }, number>('ask')
      export const calls = (endpoint: Endpoint) => [
        endpoint.broadcast(Named, 5),
        endpoint.broadcastNowait(Named, 5),
        endpoint.broadcast(Named),
        endpoint.request(Ask, 5),
      ]`
    expect(typeErrorsIn({ main })).to.deep.equal([
      "main: Argument of type 'number' is not assignable to parameter of type 'string'.",
      "main: Argument of type 'number' is not assignable to parameter of type 'string'.",
      'main: Expected 2-3 arguments, but got 1.',
      "main: Argument of type 'number' is not assignable to parameter of type '{ id: string; }'.",
    ])
  })
})

/** The classes among all that the package exports whose instances are errors of it. */
type ErrorClass = {
  [Name in keyof typeof lahja]: (typeof lahja)[Name] extends new (
    ...args: never
  ) => LahjaError
    ? (typeof lahja)[Name]
    : never
}[keyof typeof lahja]

describe('The types of error codes', () => {
  it('are a union of the codes of all classes', () => {
    expectTypeOf<LahjaError['code']>().toEqualTypeOf<LahjaErrorCode>()
    expectTypeOf<InstanceType<ErrorClass>['code']>().toEqualTypeOf<LahjaErrorCode>()
  })

  it('are a literal in each class', () => {
    expectTypeOf<Unauthenticated['code']>().toEqualTypeOf<'LAHJA_UNAUTHENTICATED'>()
    const codes = (error: LahjaError) => {
      // @ts-expect-error there is no such code
      return error.code === 'LAHJA_NAME_TAKEN'
    }
    expectTypeOf(codes).returns.toEqualTypeOf<boolean>()
  })
})
