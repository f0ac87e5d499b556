import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { AlreadyResponding, defineRequest, EndpointClosed, InvalidArgument, NoSubscribers } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { reportsOf } from '../support/reports'

const Ask = defineRequest<unknown, unknown>('ask')
const PATIENT = { timeout: Number.POSITIVE_INFINITY }

describe('Endpoint.respond', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  /** The abort reasons of the signals of requests to this responder, by payload. */
  function recordAborts() {
    const begun: unknown[] = []
    const aborts = new Map<unknown, string>()
    const handle = ({ payload, signal }: { payload: unknown; signal: AbortSignal }) => {
      begun.push(payload)
      signal.addEventListener('abort', () => aborts.set(payload, signal.reason.code))
      return new Promise(() => {})
    }
    return { begun, aborts, handle }
  }

  it('aborts event.signal when the asker times out, cancels or closes', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const { begun, aborts, handle } = recordAborts()
    await responder.respond(Ask, handle).ready
    const abort = new AbortController()
    const outcomes = [
      rejection(asker.request(Ask, 'timeout', { timeout: 20 })),
      rejection(asker.request(Ask, 'abort', { signal: abort.signal, ...PATIENT })),
      rejection(asker.request(Ask, 'close', PATIENT)),
    ]
    await until(() => begun.length === 3 && aborts.has('timeout'))
    expect([...aborts.keys()]).to.deep.equal(['timeout'])
    abort.abort()
    await until(() => aborts.has('abort'))
    expect(aborts.has('close')).to.equal(false)
    await asker.close()
    await until(() => aborts.has('close'))
    expect(new Set(aborts.values())).to.deep.equal(new Set(['LAHJA_ABORTED']))
    await Promise.all(outcomes)
  })

  it('gives its handler an event that shows nothing of the endpoint', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    await responder.respond(Ask, (event) => `${Object.keys(event).sort()} ${inspect(event, { depth: 9 }).length < 200}`)
      .ready
    expect(await asker.request(Ask, 1)).to.equal('headers,origin,payload,type true')
  })

  it('aborts event.signal when the asker disconnects without a goodbye', async () => {
    const responder = await bus.start('responder')
    const { begun, aborts, handle } = recordAborts()
    responder.respond(Ask, handle)
    const peer = await connectPeer(responder)
    peer.say({ kind: 'request', id: 1, type: 'ask', payload: 'gone' })
    await until(() => begun.length === 1)
    peer.destroy()
    await until(() => aborts.has('gone'))
  })

  it('does not abort event.signal of an answered request', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const signals: AbortSignal[] = []
    await responder.respond(Ask, ({ signal }) => signals.push(signal)).ready
    await asker.request(Ask, 1, { timeout: 50_000 })
    await asker.close()
    await until(() => responder.peers.length === 0)
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false])
  })

  it('reports an error thrown after the request was cancelled, except AbortError', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const reports = reportsOf(responder)
    await responder.respond(Ask, async ({ payload, signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      if (payload === 'aborted') signal.throwIfAborted()
      throw new TypeError('too late')
    }).ready
    await rejection(asker.request(Ask, 'aborted', { timeout: 5 }))
    await rejection(asker.request(Ask, 'thrown', { timeout: 5 }))
    await until(() => reports.length > 0)
    expect(reports.map(({ code }) => code)).to.deep.equal(['LAHJA_HANDLER_ERROR'])
    expect(reports[0]?.message).to.contain('too late').and.contain('ask')
  })

  it('handles any number of requests concurrently', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const handler = await HeldHandler.respondingTo(Ask, responder)
    const answers = Promise.all(Array.from({ length: 100 }, (_, n) => asker.request(Ask, n, PATIENT)))
    await until(() => handler.begun.length === 100)
    handler.release()
    expect(await answers).to.deep.equal(Array.from({ length: 100 }, (_, n) => n))
  })

  it('receives a request at the endpoint with the fewest in flight', async () => {
    const { asker, x, y, z } = await bus.startAll('asker', 'x', 'y', 'z')
    const handlers = [x, y, z].map(() => new HeldHandler())
    await Promise.all([x, y, z].map((each, index) => each.respond(Ask, handlers[index]?.handle ?? (() => {})).ready))
    const begun = () => handlers.map((handler) => handler.begun.length)
    const answers = Array.from({ length: 9 }, (_, n) => asker.request(Ask, n, PATIENT))
    await until(() => begun().join() === '3,3,3')
    handlers[1]?.releaseOne()
    handlers[1]?.releaseOne()
    await until(() => handlers[1]?.ended.length === 2)
    await Promise.all(answers.filter((_, n) => handlers[1]?.ended.includes(n)))
    answers.push(asker.request(Ask, 9, PATIENT), asker.request(Ask, 10, PATIENT))
    await until(() => begun().join() === '3,5,3')
    for (const handler of handlers) handler.release()
    expect(await Promise.all(answers)).to.deep.equal(Array.from({ length: 11 }, (_, n) => n))
  })

  it('receives requests addressed to its name, one of several names or its group, and its own', async () => {
    const others = { x: { groups: ['blue'] }, y: { groups: ['blue', 'green'] } }
    const { asker, x, y } = await bus.startEach({ asker: { groups: ['own'] }, ...others })
    for (const each of [asker, x, y]) await each.respond(Ask, ({ origin }) => `${each.name} to ${origin}`).ready
    const ask = (to: Parameters<typeof asker.request>[2]) => asker.request(Ask, 1, to)
    for (let round = 0; round < 3; round++) {
      expect(await ask({ to: 'x' })).to.equal('x to asker')
      expect(await ask({ to: ['nobody', 'y'] })).to.equal('y to asker')
      expect(await ask({ to: { group: 'green' } })).to.equal('y to asker')
      expect(await ask({ to: 'asker' })).to.equal('asker to asker')
      expect(await ask({ to: { group: 'own' } })).to.equal('asker to asker')
    }
    const answers = await Promise.all([1, 2, 3].map(() => ask({})))
    expect(answers.sort()).to.deep.equal(['asker to asker', 'x to asker', 'y to asker'])
  })

  it('throws AlreadyResponding for a second responder to a type, until the first has unsubscribed', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const first = responder.respond(Ask, () => 'first')
    await first.ready
    const error = await rejection(() => responder.respond('ask', () => 'second'))
    expect(error).to.be.instanceOf(AlreadyResponding).and.include({ code: 'LAHJA_ALREADY_RESPONDING' })
    expect(error.message).to.contain('ask')
    expect(await asker.request(Ask, 1)).to.equal('first')
    first.unsubscribe()
    await responder.respond(Ask, () => 'second').ready
    first.unsubscribe()
    expect(await asker.request(Ask, 2)).to.equal('second')
  })

  it('answers a request that reuses the id of a cancelled one, and never the cancelled one', async () => {
    const responder = await bus.start('responder')
    const handler = new HeldHandler()
    responder.respond(Ask, handler.handle)
    const peer = await connectPeer(responder)
    const request = { kind: 'request', id: 7, type: 'ask' } as const
    peer.say({ ...request, payload: 'first' }, { kind: 'cancel', id: 7 }, { ...request, payload: 'second' })
    await until(() => handler.begun.length === 2)
    handler.releaseOne()
    await until(() => handler.ended.length === 1)
    handler.releaseOne()
    await until(() => peer.heardOf('response').length > 0)
    expect(peer.heardOf('response')).to.deep.equal([{ kind: 'response', id: 7, payload: 'second' }])
  })

  it('ends when its signal aborts or its using block ends, and never starts with an aborted signal', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const abort = new AbortController()
    await responder.respond(Ask, () => 'first', { signal: abort.signal }).ready
    expect(getEventListeners(abort.signal, 'abort')).to.have.length(1)
    expect(await asker.request(Ask, 1)).to.equal('first')
    abort.abort()
    expect(responder.subscribedEvents).to.not.include('ask')
    await responder.respond(Ask, () => 'never', { signal: abort.signal }).ready
    expect(responder.subscribedEvents).to.not.include('ask')
    {
      using second = responder.respond(Ask, () => 'second')
      await second.ready
      expect(await asker.request(Ask, 2)).to.equal('second')
    }
    await until(() => !asker.isEndpointSubscribedTo('responder', 'ask'))
    expect(await rejection(asker.request(Ask, 3))).to.be.instanceOf(NoSubscribers)
  })

  it('removes its listener from the signal when it unsubscribes', async () => {
    const responder = await bus.start('responder')
    const { signal } = new AbortController()
    responder.respond(Ask, () => {}, { signal }).unsubscribe()
    expect(getEventListeners(signal, 'abort')).to.deep.equal([])
    responder.respond(Ask, () => {}, { signal })
    await responder.close()
    expect(getEventListeners(signal, 'abort')).to.deep.equal([])
  })

  it('throws for an invalid handler, a pattern, an event definition and a closed endpoint', async () => {
    const responder = await bus.start('responder')
    const wrong = Object.assign({ handle: () => {} }, { handle: 7 })
    expect(await rejection(() => responder.respond(Ask, wrong.handle))).to.be.instanceOf(InvalidArgument)
    expect(await rejection(() => responder.respond('ask.*', () => {}))).to.be.instanceOf(InvalidArgument)
    await responder.close()
    expect(await rejection(() => responder.respond(Ask, () => {}))).to.be.instanceOf(EndpointClosed)
  })
})
