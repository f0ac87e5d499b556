import { expect } from 'chai'
import { z } from 'zod'
import {
  AbortError,
  defineRequest,
  type Endpoint,
  EndpointClosed,
  InvalidArgument,
  InvalidPayload,
  NoSubscribers,
  PayloadTooLarge,
  type Reply,
  RequestTimeout,
  UnserializablePayload,
} from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { HeldTimers } from '../support/held-timers'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { throwing } from '../support/throwing'

const Ask = defineRequest<unknown, unknown>('ask')
const schema = z.object({ n: z.number() })
const Checked = defineRequest('checked', { request: schema, response: schema })
const PATIENT = { timeout: Number.POSITIVE_INFINITY }

/** By origin: the payload, or the code of the error. Fails if an origin replies twice. */
async function collect(replies: AsyncIterable<Reply<unknown>>): Promise<Record<string, unknown>> {
  const outcomes = new Map<string, unknown>()
  for await (const { origin, payload, error } of replies) {
    expect(outcomes.has(origin), `${origin} once`).to.equal(false)
    outcomes.set(origin, error?.code ?? payload)
  }
  return Object.fromEntries(outcomes)
}

describe('Endpoint.requestAll', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect
  let asker: Endpoint
  let x: Endpoint
  let y: Endpoint

  beforeEach(async () => {
    ;({ asker, x, y } = await bus.startEach({ asker: {}, x: { groups: ['blue'] }, y: { groups: ['blue'] } }))
  })

  /** A responder that records when the signals of its requests abort. */
  async function respondForever(endpoint: Endpoint) {
    const calls: { aborted: boolean }[] = []
    await endpoint.respond(Ask, ({ signal }) => {
      calls.push(signal)
      return new Promise(() => {})
    }).ready
    return calls
  }

  it('yields one reply per responder, its own included', async () => {
    for (const each of [asker, x, y]) await each.respond(Ask, ({ payload }) => `${payload} ${each.name}`).ready
    const outcomes = await collect(asker.requestAll(Ask, 'I am'))
    expect(outcomes).to.deep.equal({ asker: 'I am asker', x: 'I am x', y: 'I am y' })
  })

  it('yields replies in the order of their arrival', async () => {
    const handlers = [new HeldHandler(), new HeldHandler()] as const
    await x.respond(Ask, handlers[0].handle).ready
    await y.respond(Ask, handlers[1].handle).ready
    const replies = asker.requestAll(Ask, 1, PATIENT)
    await until(() => handlers.every(({ begun }) => begun.length === 1))
    handlers[1].release()
    expect(await replies.next()).to.deep.equal({ done: false, value: { origin: 'y', payload: 1 } })
    handlers[0].release()
    expect(await replies.next()).to.deep.equal({ done: false, value: { origin: 'x', payload: 1 } })
    expect(await replies.next()).to.deep.equal({ done: true, value: undefined })
  })

  it('asks only the endpoints in to', async () => {
    for (const each of [asker, x, y]) await each.respond(Ask, () => each.name).ready
    expect(await collect(asker.requestAll(Ask, 1, { to: { group: 'blue' } }))).to.deep.equal({ x: 'x', y: 'y' })
    expect(await collect(asker.requestAll(Ask, 1, { to: ['y', 'nobody'] }))).to.deep.equal({ y: 'y' })
  })

  it('asks the endpoints in to, whatever becomes of the option', async () => {
    const peer = await connectPeer(asker, { requestLimit: 1 })
    await peer.want({ type: 'ask', responds: true })
    const to = ['raw']
    const rounds = [1, 2].map((n) => collect(asker.requestAll(Ask, n, { to, ...PATIENT })))
    to[0] = 'x'
    for (const [index, n] of [1, 2].entries()) {
      await until(() => peer.heardOf('request').length === n)
      peer.say({ kind: 'response', id: peer.heardOf('request')[index]?.id ?? 0, payload: n })
    }
    expect(await Promise.all(rounds)).to.deep.equal([{ raw: 1 }, { raw: 2 }])
  })

  it('does not ask responders that are added after the call', async () => {
    const handler = await HeldHandler.respondingTo(Ask, x)
    const replies = asker.requestAll(Ask, 1, PATIENT)
    await y.respond(Ask, () => 'late').ready
    handler.release()
    expect(await collect(replies)).to.deep.equal({ x: 1 })
  })

  it('yields failures as replies', async () => {
    await x.respond(Ask, throwing(new RangeError('not mine'))).ready
    await y.respond(Ask, () => 'fine').ready
    const peer = await connectPeer(asker)
    await peer.want({ type: 'ask', responds: true })
    const replies = asker.requestAll(Ask, 1, PATIENT)
    await until(() => peer.heardOf('request').length === 1)
    peer.destroy()
    const outcomes = await collect(replies)
    expect(outcomes).to.deep.equal({ x: 'LAHJA_REMOTE_ERROR', y: 'fine', raw: 'LAHJA_REMOTE_DISCONNECTED' })
  })

  it('yields UnexpectedResponse for a response that does not fit the schema', async () => {
    await x.respond('checked', () => ({ n: 'one' })).ready
    await y.respond('checked', () => ({ n: 1 })).ready
    const outcomes = await collect(asker.requestAll(Checked, { n: 0 }))
    expect(outcomes).to.deep.equal({ x: 'LAHJA_UNEXPECTED_RESPONSE', y: { n: 1 } })
  })

  it('throws at once for a payload that cannot be sent to any responder, and sends nothing', async () => {
    const calls: unknown[] = []
    await x.respond(Ask, ({ payload }) => calls.push(payload)).ready
    const large = 'x'.repeat(2 * 1024 * 1024)
    expect(() => asker.requestAll(Ask, { f: () => {} })).to.throw(UnserializablePayload)
    expect(() => asker.requestAll(Ask, large)).to.throw(PayloadTooLarge, 'request ask')
    expect(() => asker.requestAll('unanswered', { f: () => {} })).to.throw(UnserializablePayload)
    expect(await collect(asker.requestAll(Ask, 'small'))).to.deep.equal({ x: 1 })
    expect(calls).to.deep.equal(['small'])
  })

  it('encodes its payload once for all responders', async () => {
    for (const each of [asker, x, y]) await each.respond(Ask, ({ payload }) => payload).ready
    let reads = 0
    const payload = {
      get n() {
        return ++reads
      },
    }
    const outcomes = await collect(asker.requestAll(Ask, payload))
    expect(outcomes).to.deep.equal({ asker: { n: 1 }, x: { n: 1 }, y: { n: 1 } })
  })

  it('names the responder that takes no request of this size', async () => {
    const small = await bus.start('small', { limits: { frameBytes: 4096 } })
    await small.respond(Ask, () => 'never').ready
    await asker.waitUntilConnectedTo('small')
    const outcomes = await collect(asker.requestAll(Ask, 'x'.repeat(5000)))
    expect(outcomes).to.deep.equal({ small: 'LAHJA_PAYLOAD_TOO_LARGE' })
  })

  it('yields no reply for a responder that has just unsubscribed', async () => {
    const leaving = x.respond(Ask, () => 'never')
    await leaving.ready
    await y.respond(Ask, () => 'here').ready
    leaving.unsubscribe()
    expect(await collect(asker.requestAll(Ask, 1, PATIENT))).to.deep.equal({ y: 'here' })
  })

  it('yields an error for each responder that disconnects while its request waits there for others', async () => {
    const peer = await connectPeer(asker, { requestLimit: 1 })
    await peer.want({ type: 'ask', responds: true })
    await x.respond(Ask, () => 'here').ready
    const rounds = [1, 2, 3].map((n) => collect(asker.requestAll(Ask, n, PATIENT)))
    await until(() => peer.heardOf('request').length === 1)
    peer.destroy()
    const [first, ...waiting] = await Promise.all(rounds)
    expect(first).to.deep.equal({ x: 'here', raw: 'LAHJA_REMOTE_DISCONNECTED' })
    expect(waiting).to.deep.equal([
      { x: 'here', raw: 'LAHJA_NO_SUBSCRIBERS' },
      { x: 'here', raw: 'LAHJA_NO_SUBSCRIBERS' },
    ])
  })

  it('yields an error for a responder that declines and has not unsubscribed', async () => {
    const peer = await connectPeer(asker)
    await peer.want({ type: 'ask', responds: true })
    const replies = asker.requestAll(Ask, 1, PATIENT)
    await until(() => peer.heardOf('request').length === 1)
    peer.say({ kind: 'decline', id: peer.heardOf('request')[0]?.id ?? 0 })
    const { value } = await replies.next()
    expect(value).to.include({ origin: 'raw' })
    expect(value?.error).to.be.instanceOf(NoSubscribers)
    expect(await replies.next()).to.deep.equal({ done: true, value: undefined })
  })

  it('yields RequestTimeout for each responder that has not replied in time', async () => {
    const timeouts = new HeldTimers(50_000)
    const late = await bus.startBy(timeouts, 'late')
    await late.waitUntilConnectedTo(['x', 'y'])
    await x.respond(Ask, () => 'in time').ready
    const calls = await respondForever(y)
    const asked = await respondForever(late)
    const errors: unknown[] = []
    for await (const { origin, payload, error } of late.requestAll(Ask, 1, { timeout: 50_000 })) {
      if (error) errors.push(`${origin}: ${error instanceof RequestTimeout}`)
      else {
        expect({ origin, payload }).to.deep.equal({ origin: 'x', payload: 'in time' })
        await until(() => calls.length + asked.length === 2)
        timeouts.goOff()
      }
    }
    expect(errors.sort()).to.deep.equal(['late: true', 'y: true'])
    await until(() => [...calls, ...asked].every(({ aborted }) => aborted))
    expect(calls.length + asked.length).to.equal(2)
  })

  it('cancels the remaining requests on break', async () => {
    await x.respond(Ask, () => 'first').ready
    const calls = await respondForever(y)
    for await (const { origin } of asker.requestAll(Ask, 1, PATIENT)) {
      expect(origin).to.equal('x')
      await until(() => calls.length === 1)
      expect(calls[0]?.aborted).to.equal(false)
      break
    }
    await until(() => calls[0]?.aborted ?? false)
  })

  it('cancels all requests at the end of an await using block, also without a read', async () => {
    const calls = await respondForever(x)
    {
      await using replies = asker.requestAll(Ask, 1, PATIENT)
      await until(() => calls.length === 1)
      expect(replies).to.have.property('next')
    }
    await until(() => calls[0]?.aborted ?? false)
  })

  it('throws AbortError once when its signal aborts, and cancels all requests', async () => {
    const calls = await respondForever(x)
    const abort = new AbortController()
    const replies = asker.requestAll(Ask, 1, { signal: abort.signal, ...PATIENT })
    await until(() => calls.length === 1)
    abort.abort('enough')
    const error = await rejection(replies.next())
    expect(error).to.be.instanceOf(AbortError).and.include({ cause: 'enough' })
    expect(await replies.next()).to.deep.equal({ done: true, value: undefined })
    await until(() => calls[0]?.aborted ?? false)
  })

  it('sends nothing if its signal has aborted before', async () => {
    const calls = await respondForever(x)
    const replies = asker.requestAll(Ask, 1, { signal: AbortSignal.abort(), ...PATIENT })
    expect(await rejection(replies.next())).to.be.instanceOf(AbortError)
    await rejection(asker.request(Ask, 1, { timeout: 20 }))
    // A request sent before would have arrived before this one.
    await until(() => calls.length > 0)
    expect(calls).to.have.length(1)
  })

  it('throws EndpointClosed when the endpoint closes, and after it has closed', async () => {
    const calls = await respondForever(x)
    const replies = asker.requestAll(Ask, 1, PATIENT)
    const reading = rejection(replies.next())
    await until(() => calls.length === 1)
    await asker.close()
    expect(await reading).to.be.instanceOf(EndpointClosed)
    expect(await rejection(() => asker.requestAll(Ask, 1))).to.be.instanceOf(EndpointClosed)
  })

  it('throws NoSubscribers once, also from a read before return()', async () => {
    const replies = asker.requestAll(Ask, 1)
    const [first, second] = [replies.next(), replies.next()]
    await replies.return()
    expect(await rejection(first)).to.be.instanceOf(NoSubscribers)
    expect(await second).to.deep.equal({ done: true, value: undefined })
  })

  it('throws NoSubscribers if no endpoint responds, or none of those addressed', async () => {
    expect(await rejection(asker.requestAll(Ask, 1).next())).to.be.instanceOf(NoSubscribers)
    await x.respond(Ask, () => 'here').ready
    const replies = asker.requestAll(Ask, 1, { to: 'y' })
    expect(await rejection(replies.next())).to.be.instanceOf(NoSubscribers)
    expect(await replies.next()).to.deep.equal({ done: true, value: undefined })
  })

  it('yields a reply from each run of a restarted endpoint while the old link is still up', async () => {
    const lives = [
      await connectPeer(asker, { name: 'z', id: '000000000zzz1' }),
      await connectPeer(asker, { name: 'z', id: '000000000zzz2' }),
    ]
    await until(() => asker.peers.length === 4)
    for (const life of lives) await life.want({ type: 'ask', responds: true })
    const replies = asker.requestAll(Ask, 1, { to: 'z', ...PATIENT })
    await until(() => lives.every((life) => life.heardOf('request').length === 1))
    for (const [index, life] of lives.entries()) {
      life.say({ kind: 'response', id: life.heardOf('request')[0]?.id ?? 0, payload: index })
      expect(await replies.next()).to.deep.include({ value: { origin: 'z', payload: index } })
    }
    expect(await replies.next()).to.deep.equal({ done: true, value: undefined })
  })

  it('throws InvalidPayload and InvalidArgument at once, and sends nothing', async () => {
    const calls: unknown[] = []
    await x.respond('checked', ({ payload }) => {
      calls.push(payload)
      return payload
    }).ready
    const wrong = Object.assign({ n: 1 }, { n: 'one' })
    expect(await rejection(() => asker.requestAll(Checked, wrong))).to.be.instanceOf(InvalidPayload)
    const to = Object.assign({ group: 'blue' }, { group: 7 })
    for (const options of [{ to }, { timeout: -1 }]) {
      expect(() => asker.requestAll(Checked, { n: 1 }, options)).to.throw(InvalidArgument)
    }
    expect(await collect(asker.requestAll(Checked, { n: 1 }))).to.deep.equal({ x: { n: 1 } })
    expect(calls).to.deep.equal([{ n: 1 }])
  })
})
