import { once } from 'node:events'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { type Endpoint, HandlerError, InvalidArgument, InvalidPayload, RemoteError } from '../../src'
import { freshBus, until } from '../support/bus'
import { rejection } from '../support/rejection'
import { reportsOf } from '../support/reports'
import { throwing } from '../support/throwing'
import { warningThat } from '../support/warning'

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const withMessage = (message: unknown) => Object.defineProperty(new Error(), 'message', { value: message })

/** A promise with a `then` of its own. */
const promiseWith = (then: () => unknown) => Object.assign(Promise.resolve('of the promise'), { then })

const PROMISES: Record<string, () => Promise<unknown>> = {
  'whose then throws': () => promiseWith(throwing(new TypeError('no then'))),
  'whose then returns nothing': () => promiseWith(() => undefined),
  'whose constructor cannot be read': () =>
    Object.defineProperty(Promise.resolve('of the promise'), 'constructor', {
      get: throwing(new TypeError('no then')),
    }),
}

const THROWN: Record<string, [make: () => unknown, message: string]> = {
  'a revoked proxy': [revoked, '<Revoked Proxy>'],
  'an error whose message is a symbol': [() => withMessage(Symbol('odd')), 'Symbol(odd)'],
  'an error whose message cannot be read': [
    () =>
      Object.defineProperty(new Error(), 'message', {
        get: throwing(new TypeError('no')),
      }),
    '',
  ],
  'an error of another realm': [() => runInNewContext('new RangeError("far away")'), 'far away'],
  'a plain object': [() => ({ code: 7, reason: 'why' }), "{ code: 7, reason: 'why' }"],
  'an object that throws when it is shown': [
    () => ({ [inspect.custom]: throwing('no') }),
    'a value that cannot be shown',
  ],
  'an object whose prototype is a revoked proxy': [() => Object.create(revoked()), ''],
  'an error whose prototype is a revoked proxy': [() => Object.setPrototypeOf(new Error('x'), revoked()), ''],
  'a frozen error of this package': [() => Object.freeze(new InvalidPayload('no good', [])), 'no good'],
  'an error of this package whose message is a symbol': [
    () => Object.defineProperty(new InvalidArgument('x'), 'message', { value: Symbol('odd') }),
    'Symbol(odd)',
  ],
  undefined: [() => undefined, 'undefined'],
}

describe('What a handler throws', () => {
  const bus = freshBus()
  let asker: Endpoint
  let shop: Endpoint

  beforeEach(async () => {
    ;({ asker, shop } = await bus.startAll('asker', 'shop'))
  })

  for (const [what, [make, message]] of Object.entries(THROWN)) {
    it(`is one error of the endpoint, and the next event follows: ${what}`, async () => {
      const reports = reportsOf(shop)
      const handled: unknown[] = []
      shop.subscribe('tick', ({ payload }) => {
        handled.push(payload)
        throw make()
      })
      shop.subscribe('tock', async ({ payload }) => {
        handled.push(payload)
        throw make()
      })
      for (const n of [1, 2]) shop.broadcastNowait('tick', n)
      for (const n of [3, 4]) shop.broadcastNowait('tock', n)
      await until(() => reports.length === 4)
      expect(handled).to.have.members([1, 2, 3, 4])
      for (const report of reports) expect(report).to.be.instanceOf(HandlerError)
      expect(reports[0]?.message).to.contain(message)
      expect(reports[0]).to.have.deep.property('event', { type: 'tick', payload: 1, origin: 'shop', headers: {} })
    })

    it(`reaches the asker, and no other request is lost: ${what}`, async () => {
      await shop.respond(
        'ask',
        () => {
          throw make()
        },
        { sendStack: true },
      ).ready
      await shop.respond('echo', ({ payload }) => payload).ready
      const [failure, echo] = [rejection(asker.request('ask')), asker.request('echo', 1)]
      expect(await failure)
        .to.be.instanceOf(RemoteError)
        .with.property('message')
        .that.contains(message)
      expect(await echo).to.equal(1)
    })

    it(`is one error of the responder, with the request: ${what}`, async () => {
      const reports = reportsOf(shop)
      await shop.respond('ask', () => {
        throw make()
      }).ready
      await shop.respond('ask.later', async () => {
        throw make()
      }).ready
      for (const type of ['ask', 'ask.later']) await rejection(asker.request(type, 1))
      await until(() => reports.length === 2)
      for (const report of reports) expect(report).to.be.instanceOf(HandlerError)
      expect(reports[0]?.message).to.contain(message)
      expect(reports[0]).to.have.deep.property('event', { type: 'ask', payload: 1, origin: 'asker', headers: {} })
    })

    it(`is reported although its asker has given up, and nothing listens to errors: ${what}`, async () => {
      const warning = warningThat(
        (warning) => warning instanceof HandlerError && warning.message.includes('ask.slowly'),
      )
      await shop.respond('ask.slowly', async ({ signal }) => {
        if (!signal.aborted) await once(signal, 'abort')
        throw make()
      }).ready
      await rejection(asker.request('ask.slowly', 1, { timeout: 1 }))
      expect(await warning)
        .to.have.property('message')
        .that.contains(message)
    })
  }

  for (const [what, make] of Object.entries(PROMISES)) {
    it(`stops no other event and no other request if it returns a promise ${what}`, async () => {
      shop.on('error', () => {})
      const handled: unknown[] = []
      const subscription = shop.subscribe('tick', ({ payload }) => {
        handled.push(payload)
        return make()
      })
      await shop.respond('ask', make).ready
      await shop.respond('echo', ({ payload }) => payload).ready
      for (const n of [1, 2, 3]) await asker.broadcast('tick', n)
      const answers = [rejection(asker.request('ask', 1)).catch(() => 'answered'), asker.request('echo', 1)]
      await Promise.all(answers)
      await until(() => handled.length === 3 && subscription.pending === 0)
      await shop.close()
    })
  }

  it('is not changed by its report, however often it is thrown', async () => {
    const reports = reportsOf(shop)
    const thrown = new InvalidPayload('no good', [])
    await shop.respond('ask', throwing(thrown)).ready
    for (let count = 0; count < 3; count++) {
      expect(await rejection(asker.request('ask'))).to.have.nested.property('remote.message', 'no good')
    }
    await until(() => reports.length === 3)
    for (const report of reports) expect(report.cause).to.equal(thrown)
    expect(thrown).to.include({ message: 'no good', event: undefined })
  })

  it('has its stack in the detail of the error, which a warning prints', async () => {
    const warning = warningThat((warning) => warning instanceof HandlerError)
    shop.subscribe('tick', throwing(new RangeError('of tick')))
    shop.broadcastNowait('tick', 1)
    expect(await warning)
      .to.have.property('detail')
      .that.matches(/^RangeError: of tick\n.+thrown\.test\.ts/)
    const reports = reportsOf(shop)
    shop.subscribe('tock', () => Promise.reject(new RangeError('of tock')))
    shop.broadcastNowait('tock', 1)
    await until(() => reports.length === 1)
    expect(reports[0])
      .to.have.property('detail')
      .that.matches(/^RangeError: of tock\n.+thrown\.test\.ts/)
  })

  it('may have a stack of null', async () => {
    const thrown = Object.assign(new Error('bare'), { stack: null })
    await shop.respond(
      'ask',
      () => {
        throw thrown
      },
      { sendStack: true },
    ).ready
    expect(await rejection(asker.request('ask'))).to.have.nested.property('remote.stack', undefined)
  })

  it('can be told although the program has frozen the prototype of errors', async () => {
    const { writable = true } = Object.getOwnPropertyDescriptor(Error.prototype, 'name') ?? {}
    Object.defineProperty(Error.prototype, 'name', { writable: false })
    try {
      await shop.respond('ask', () => {
        throw new Error('frozen')
      }).ready
      expect(await rejection(asker.request('ask'))).to.include({ name: 'RemoteError', code: 'LAHJA_REMOTE_ERROR' })
    } finally {
      Object.defineProperty(Error.prototype, 'name', { writable })
    }
  })
})
