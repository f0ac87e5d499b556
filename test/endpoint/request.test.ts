import { expect } from 'chai'
import { z } from 'zod'
import {
  AbortError,
  defineRequest,
  type Endpoint,
  EndpointClosed,
  HandlerError,
  InvalidPayload,
  NoSubscribers,
  PayloadTooLarge,
  RemoteDisconnected,
  RemoteError,
  RequestTimeout,
  UnexpectedResponse,
  UnserializablePayload,
} from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { rawPeers } from '../support/raw-peer'
import { rejection, rejectionCode } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { throwing } from '../support/throwing'
import { turn } from '../support/workbench'

const Double = defineRequest<number, number>('double')
const Anything = defineRequest<unknown, unknown>('anything')
const schema = z.object({ n: z.number() })
const Checked = defineRequest('checked', { request: schema, response: schema })

/** No timeout, so that only the tested cause can settle the request. */
const PATIENT = { timeout: Number.POSITIVE_INFINITY }

describe('Endpoint.request', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect
  let asker: Endpoint
  let responder: Endpoint

  /** Starts the endpoints, again if they have been started. */
  async function begin(limits = {}): Promise<void> {
    await Promise.all([asker?.close(), responder?.close()])
    ;({ asker, responder } = await bus.startEach({ asker: { limits }, responder: {} }))
  }

  beforeEach(() => begin())

  /** The error of a request whose handler throws this. */
  async function rejectedBy(thrown: unknown, options = {}): Promise<RemoteError> {
    const responding = responder.respond(Double, throwing(thrown), options)
    await responding.ready
    const error = await rejection(asker.request(Double, 1, PATIENT))
    if (!(error instanceof RemoteError)) throw error
    return error
  }

  it('resolves to the response', async () => {
    await responder.respond(Double, ({ payload, type, origin }) => {
      expect({ type, origin }).to.deep.equal({ type: 'double', origin: 'asker' })
      return payload * 2
    }).ready
    expect(await asker.request(Double, 21)).to.equal(42)
    expect(await asker.request('double', 4, { to: 'responder' })).to.equal(8)
  })

  it('carries a missing payload or response as undefined, and null as null', async () => {
    await responder.respond(Anything, ({ payload }) => payload).ready
    expect(await asker.request(Anything)).to.equal(undefined)
    expect(await asker.request(Anything, null)).to.equal(null)
  })

  it('matches concurrent requests with their responses, whatever the order of these', async () => {
    const held: (() => void)[] = []
    await responder.respond(Double, async ({ payload }) => {
      await new Promise<void>((resolve) => held.push(resolve))
      return payload * 2
    }).ready
    const answers = Promise.all([1, 2, 3, 4, 5].map((n) => asker.request(Double, n, PATIENT)))
    await until(() => held.length === 5)
    for (const end of held.reverse()) end()
    expect(await answers).to.deep.equal([2, 4, 6, 8, 10])
  })

  it("rejects with RemoteError carrying the name, message and code of the handler's error, but no stack", async () => {
    const reports = reportsOf(responder)
    const error = await rejectedBy(Object.assign(new RangeError('expected less than 7'), { code: 'TOO_MUCH' }))
    expect(error).to.include({ code: 'LAHJA_REMOTE_ERROR', origin: 'responder' })
    expect(error.remote).to.include({ name: 'RangeError', message: 'expected less than 7', code: 'TOO_MUCH' })
    expect(error.remote.stack).to.equal(undefined)
    expect(error.message).to.contain('RangeError: expected less than 7').and.contain('double').and.contain('responder')
    const [report] = reports
    expect(report).to.be.instanceOf(HandlerError)
    expect(report).to.have.nested.property('event.origin', 'asker')
    expect(report).to.have.property('detail').that.contains('request.test.ts')
  })

  it('rejects with errors whose stack has the caller in it', async () => {
    await responder.respond('fails', () => Promise.reject(new Error('no'))).ready
    await responder.respond('silent', () => new Promise(() => {})).ready
    async function theCaller(type: string): Promise<unknown> {
      return await asker.request(type, undefined, { timeout: 50 })
    }
    for (const [type, code] of [
      ['fails', 'LAHJA_REMOTE_ERROR'],
      ['silent', 'LAHJA_REQUEST_TIMEOUT'],
      ['unknown', 'LAHJA_NO_SUBSCRIBERS'],
    ] as const) {
      const error = await rejection(theCaller(type))
      expect(error).to.have.property('code', code)
      expect(error)
        .to.have.property('stack')
        .that.matches(/^\w+: .+\n(.*\n)*.*theCaller/)
    }
  })

  it('rejects with the remote stack if the responder sends it', async () => {
    const { remote } = await rejectedBy(new RangeError('far away'), { sendStack: true })
    expect(remote.stack).to.match(/^RangeError: far away\n.*request\.test\.ts/s)
  })

  for (const thrown of ['a string', undefined, { name: 'none' }, Object.assign(new Error('ü'.repeat(2 ** 20)))]) {
    it(`rejects with RemoteError if the handler threw ${String(thrown).slice(0, 20)}`, async () => {
      responder.on('error', () => {})
      const { remote } = await rejectedBy(thrown)
      expect(remote.name).to.be.a('string')
      expect(remote.message).to.be.a('string').with.length.above(0)
    })
  }

  it('rejects with RequestTimeout, and ignores a late response', async () => {
    const reports = reportsOf(asker)
    const handler = await HeldHandler.respondingTo(Anything, responder)
    const error = await rejection(asker.request(Anything, 'late', { timeout: 10 }))
    expect(error).to.be.instanceOf(RequestTimeout).and.include({ code: 'LAHJA_REQUEST_TIMEOUT' })
    expect(error.message).to.contain('anything').and.contain('10 ms')
    handler.release()
    expect(await asker.request(Anything, 'in time')).to.equal('in time')
    await until(() => handler.ended.length === 2)
    expect(reports).to.deep.equal([])
  })

  it('rejects with RemoteDisconnected when its responder disconnects, and asks no other', async () => {
    const peer = await connectPeer(asker)
    await peer.want({ type: 'anything', responds: true })
    const outcome = rejection(asker.request(Anything, 1, PATIENT))
    await until(() => peer.heardOf('request').length === 1)
    const handler = await HeldHandler.respondingTo(Anything, responder)
    peer.destroy()
    const error = await outcome
    expect(error).to.be.instanceOf(RemoteDisconnected).and.include({ code: 'LAHJA_REMOTE_DISCONNECTED' })
    expect(error.message).to.contain('raw disconnected before it responded')
    handler.release()
    expect(await asker.request(Anything, 2)).to.equal(2)
    expect(handler.begun).to.deep.equal([2])
  })

  it('rejects with RemoteDisconnected when the responder closes before its handler finishes', async () => {
    const handler = await HeldHandler.respondingTo(Anything, responder)
    const outcome = rejection(asker.request(Anything, 1, PATIENT))
    await until(() => handler.begun.length === 1)
    await responder.close({ timeout: 20 })
    expect(await outcome).to.be.instanceOf(RemoteDisconnected)
  })

  it('waits as long as it is told for a responder, also one of its own, and not longer', async () => {
    await begin()
    const early = asker.request(Double, 4, { wait: 60_000, to: 'responder' })
    const own = asker.request(Anything, { n: 1 }, { wait: Number.POSITIVE_INFINITY })
    expect(await rejection(asker.request('nobody', 1, { wait: 1 }))).to.be.instanceOf(NoSubscribers)
    expect(await rejection(asker.request('nobody', 1, { wait: 60_000, timeout: 1 }))).to.be.instanceOf(RequestTimeout)
    expect(await rejection(asker.request('nobody', 1, { wait: 5, to: 'nobody' }))).to.be.instanceOf(NoSubscribers)
    responder.respond(Double, ({ payload }) => payload * 2)
    expect(await early).to.equal(8)
    asker.respond(Anything, ({ payload }) => payload)
    expect(await own).to.deep.equal({ n: 1 })
  })

  it('sends what waits for a responder as it was when asked, in order, and drops what is cancelled', async () => {
    await begin()
    const payload = { n: 1 }
    const first = asker.request(Anything, payload, { wait: 60_000 })
    payload.n = 2
    const cancelled = new AbortController()
    const second = rejection(asker.request(Anything, payload, { wait: 60_000, signal: cancelled.signal }))
    const third = asker.request(Anything, payload, { wait: 60_000 })
    cancelled.abort()
    expect(await second).to.be.instanceOf(AbortError)
    const seen: unknown[] = []
    await responder.respond(Anything, ({ payload }) => seen.push(payload)).ready
    await Promise.all([first, third])
    expect(seen).to.deep.equal([{ n: 1 }, { n: 2 }])
  })

  it('goes to the endpoints that it was addressed to when it was made, whatever becomes of the option', async () => {
    const other = await bus.start('other')
    const audiences: [string[], { group: string }] = [['responder'], { group: 'none' }]
    const requests = audiences.map((to) => asker.request(Anything, 1, { to, wait: 60_000 }))
    audiences[0][0] = 'other'
    audiences[1].group = 'others'
    await other.respond(Anything, () => 'not addressed').ready
    const member = await bus.start('member', { groups: ['others'] })
    await member.respond(Anything, () => 'not addressed').ready
    await responder.respond(Anything, ({ payload }) => payload).ready
    const late = await bus.start('late', { groups: ['none'] })
    await late.respond(Anything, () => 'of the group').ready
    expect(await Promise.all(requests)).to.deep.equal([1, 'of the group'])
  })

  it('waits on if the only responder declines, for the next that responds', async () => {
    await begin()
    const peer = await connectPeer(asker)
    await peer.want({ type: 'anything', responds: true })
    const answer = asker.request(Anything, 1, { wait: 60_000 })
    const { id } = await peer.hears('request')
    peer.say({ kind: 'decline', id })
    await responder.respond(Anything, () => 'answered').ready
    expect(await answer).to.equal('answered')
  })

  it('refuses a wait that is no number of milliseconds, and one for requestAll', async () => {
    await begin()
    expect(await rejection(asker.request(Double, 1, { wait: -1 }))).to.have.property('code', 'LAHJA_INVALID_ARGUMENT')
    // @ts-expect-error
    expect(() => asker.requestAll(Double, 1, { wait: 1 })).to.throw("requestAll has no option 'wait'")
  })

  it('rejects with NoSubscribers if no endpoint responds, or none of those addressed', async () => {
    await responder.subscribe('anything', () => {}).ready
    for (const [to, whom] of [
      [undefined, 'no endpoint responds to it'],
      ['responder', 'no endpoint that it is addressed to (to responder) responds to it'],
      [['nobody', 'asker'], 'no endpoint that it is addressed to (to nobody, asker) responds to it'],
      [{ group: 'none' }, 'no endpoint that it is addressed to (to group none) responds to it'],
    ] as const) {
      const error = await rejection(asker.request(Anything, 1, { to, ...PATIENT }))
      expect(error).to.be.instanceOf(NoSubscribers).and.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
      expect(error.message).to.equal(`request anything: ${whom}`)
      expect((await rejection(asker.requestAll(Anything, 1, { to }).next())).message).to.equal(error.message)
    }
  })

  it('is not sent if its payload aborts its signal while it is being read', async () => {
    let calls = 0
    await responder.respond('count', () => ++calls).ready
    const abort = new AbortController()
    const payload = {
      get id() {
        abort.abort()
        return 1
      },
    }
    expect(await rejection(asker.request('count', payload, { signal: abort.signal }))).to.be.instanceOf(AbortError)
    expect(await asker.request('count', 2)).to.equal(1)
  })

  it('rejects with AbortError when its signal aborts, and sends nothing if it has aborted before', async () => {
    const handler = await HeldHandler.respondingTo(Anything, responder)
    const abort = new AbortController()
    const outcome = rejection(asker.request(Anything, 1, { signal: abort.signal, ...PATIENT }))
    await until(() => handler.begun.length === 1)
    abort.abort('enough')
    const error = await outcome
    expect(error).to.be.instanceOf(AbortError).and.include({ code: 'LAHJA_ABORTED', cause: 'enough' })
    expect(await rejection(asker.request(Anything, 2, { signal: abort.signal }))).to.be.instanceOf(AbortError)
    handler.release()
    expect(await asker.request(Anything, 3)).to.equal(3)
    expect(handler.begun).to.deep.equal([1, 3])
  })

  it('rejects with UnexpectedResponse if the response does not fit the schema', async () => {
    await responder.respond('checked', () => ({ n: 'one' })).ready
    const error = await rejection(asker.request(Checked, { n: 1 }))
    expect(error).to.be.instanceOf(UnexpectedResponse).and.include({ code: 'LAHJA_UNEXPECTED_RESPONSE' })
    expect(error.cause).to.be.instanceOf(InvalidPayload)
    expect(error.message).to.contain('from responder').and.contain('n:')
  })

  it('rejects with InvalidPayload if the payload does not fit the schema, and sends nothing', async () => {
    const asked: unknown[] = []
    await responder.respond('checked', ({ payload }) => {
      asked.push(payload)
      return { n: 2 }
    }).ready
    const wrong = Object.assign({ n: 1 }, { n: 'one' })
    const error = await rejection(asker.request(Checked, wrong))
    expect(error).to.be.instanceOf(InvalidPayload).and.include({ code: 'LAHJA_INVALID_PAYLOAD' })
    expect(await asker.request(Checked, { n: 1 })).to.deep.equal({ n: 2 })
    expect(asked).to.deep.equal([{ n: 1 }])
  })

  it("rejects with RemoteError for InvalidPayload if the payload does not fit the responder's schema", async () => {
    const reports = reportsOf(responder)
    const asked: unknown[] = []
    await responder.respond(Checked, ({ payload }) => {
      asked.push(payload)
      return payload
    }).ready
    const error = await rejection(asker.request('checked', { n: 'one' }))
    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ name: 'InvalidPayload', code: 'LAHJA_INVALID_PAYLOAD' })
    expect(asked).to.deep.equal([])
    expect(codesOf(reports)).to.deep.equal(['LAHJA_INVALID_PAYLOAD'])
    expect(reports[0]?.message).to.contain('request checked from asker: the payload does not match its schema: n:')
    const event = { type: 'checked', payload: { n: 'one' }, origin: 'asker', headers: {} }
    expect(reports[0]).to.have.property('event').that.deep.equals(event)
  })

  it("rejects with RemoteError if the response does not fit the responder's schema, which the responder reports", async () => {
    const reports = reportsOf(responder)
    await responder.respond(Checked, ({ payload }) => Object.assign(payload, { n: 'one' })).ready
    const error = await rejection(asker.request('checked', { n: 1 }))
    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ name: 'InvalidPayload' })
    expect(codesOf(reports)).to.deep.equal(['LAHJA_INVALID_PAYLOAD'])
    expect(reports[0]?.message).to.contain('response to checked for asker: the payload does not match its schema: n:')
    expect(reports[0]).to.have.nested.property('event.origin', 'asker')
  })

  it('is no process warning at the responder if its payload is invalid, as the asker is told', async () => {
    await responder.respond(Checked, ({ payload }) => payload).ready
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    expect(await rejectionCode(asker.request('checked', { n: 'one' }))).to.equal('LAHJA_REMOTE_ERROR')
    await turn()
    process.off('warning', note)
    expect(warnings).to.deep.equal([])
  })

  it('rejects with UnserializablePayload or PayloadTooLarge if the payload cannot be sent', async () => {
    await begin({ frameBytes: 8192 })
    const sizes: unknown[] = []
    await responder.respond(Anything, ({ payload }) => sizes.push(payload)).ready
    expect(await rejection(asker.request(Anything, { f: () => {} }))).to.be.instanceOf(UnserializablePayload)
    expect(await rejection(asker.request(Anything, Buffer.alloc(2 ** 21)))).to.be.instanceOf(PayloadTooLarge)
    expect(await asker.request(Anything, 'small')).to.equal(1)
    expect(sizes).to.deep.equal(['small'])
  })

  it('rejects with RemoteError if the response cannot be sent, and the responder reports the reason', async () => {
    const reports = reportsOf(responder)
    await responder.respond(Anything, () => ({ f: () => {} })).ready
    const error = await rejection(asker.request(Anything, 1, PATIENT))
    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ code: 'LAHJA_UNSERIALIZABLE_PAYLOAD' })
    expect(codesOf(reports)).to.deep.equal(['LAHJA_UNSERIALIZABLE_PAYLOAD'])
    expect(reports[0]?.message)
      .to.contain('the response to anything for asker: ')
      .and.contain('payload.f is a function')
  })

  it("rejects with RemoteError if the response exceeds the asker's frame limit", async () => {
    await begin({ frameBytes: 8192, outboxBytes: 65_536 })
    const reports = reportsOf(responder)
    await responder.respond(Anything, ({ payload }) => Buffer.alloc(Number(payload))).ready
    const error = await rejection(asker.request(Anything, 10_000, PATIENT))
    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ name: 'PayloadTooLarge', code: 'LAHJA_PAYLOAD_TOO_LARGE' })
    expect(codesOf(reports)).to.deep.equal(['LAHJA_PAYLOAD_TOO_LARGE'])
    expect(reports[0]?.message).to.contain('the response to anything for asker: ')
    expect(await asker.request(Anything, 8000)).to.have.length(8000)
    expect(asker.isConnectedTo('responder')).to.equal(true)
  })

  it('rejects with EndpointClosed when the asker closes, and after it has closed', async () => {
    const handler = await HeldHandler.respondingTo(Anything, responder)
    const outcome = rejection(asker.request(Anything, 1, PATIENT))
    await until(() => handler.begun.length === 1)
    await asker.close()
    expect(await outcome).to.be.instanceOf(EndpointClosed)
    expect(await rejection(asker.request(Anything, 2))).to.be.instanceOf(EndpointClosed)
  })

  it('withdraws cancelled requests that are still unsent, so that a responder that never reads costs no memory (G7)', async () => {
    const peer = await connectPeer(asker)
    await peer.want({ type: 'anything', responds: true })
    peer.pause()
    const payload = Buffer.alloc(100_000)
    const outcomes = Array.from({ length: 200 }, () => rejection(asker.request(Anything, payload, { timeout: 50 })))
    for (const error of await Promise.all(outcomes)) expect(error).to.be.instanceOf(RequestTimeout)
    peer.resume()
    const last = rejection(asker.request(Anything, 'last', PATIENT))
    await until(() => peer.heardOf('request').some(({ payload }) => payload === 'last'))

    const left = peer.heardOf('request').slice(0, -1)
    expect(left.length).to.be.below(100)
    expect(peer.heardOf('cancel').map(({ id }) => id)).to.deep.equal(left.map(({ id }) => id))
    peer.destroy()
    expect(await last).to.be.instanceOf(RemoteDisconnected)
  })

  for (const options of [{ timeout: -1 }, { timeout: Number.NaN }, { to: 7 }, { to: { group: 7 } }]) {
    it(`rejects with InvalidArgument for ${JSON.stringify(options)}`, async () => {
      await responder.respond(Double, ({ payload }) => payload).ready
      const wrong = Object.assign({ to: 'responder' }, options)
      expect(await rejection(asker.request(Double, 1, wrong))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
    })
  }
})
