import { expect } from 'chai'
import { defineEvent, defineRequest, type Endpoint, NoSubscribers } from '../../src'
import { arrived } from '../support/arrived'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'

const Ask = defineRequest<number, unknown>('ask')
const Tick = defineEvent<number>('tick')
const PATIENT = { timeout: Number.POSITIVE_INFINITY }

describe('Endpoint, with many requests,', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('queues those over pendingRequests, and sends them in order', async () => {
    const { asker, responder } = await bus.startEach({ asker: { limits: { pendingRequests: 2 } }, responder: {} })
    const handler = await HeldHandler.respondingTo(Ask, responder)
    const answers = [0, 1, 2, 3, 4, 5].map((n) => asker.request(Ask, n, PATIENT))
    await arrived(asker, responder)
    expect(handler.begun).to.deep.equal([0, 1])
    for (const turn of [2, 3]) {
      handler.releaseOne()
      await until(() => handler.begun.includes(turn))
      await arrived(asker, responder)
      expect(handler.begun).to.have.length(turn + 1)
    }
    handler.release()
    expect(await Promise.all(answers)).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(handler.begun).to.deep.equal([0, 1, 2, 3, 4, 5])
  })

  it('sends a queued request in place of a cancelled one, and never sends a queued one that is cancelled', async () => {
    const { asker, responder } = await bus.startEach({ asker: { limits: { pendingRequests: 1 } }, responder: {} })
    const handler = await HeldHandler.respondingTo(Ask, responder)
    const [first, second] = [new AbortController(), new AbortController()]
    const givenUp = [first, second].map(({ signal }, n) => rejection(asker.request(Ask, n, { signal, ...PATIENT })))
    const third = asker.request(Ask, 2, PATIENT)
    await until(() => handler.begun.length === 1)
    second.abort()
    first.abort()
    await Promise.all(givenUp)
    await until(() => handler.begun.length === 2)
    handler.release()
    expect(await third).to.equal(2)
    expect(handler.begun).to.deep.equal([0, 2])
  })

  it('sends queued requests to a responder that joins later', async () => {
    const { asker, busy } = await bus.startEach({ asker: { limits: { pendingRequests: 1 } }, busy: {} })
    const handler = await HeldHandler.respondingTo(Ask, busy)
    const answers = [0, 1].map((n) => asker.request(Ask, n, PATIENT))
    await until(() => handler.begun.length === 1)
    const late = await bus.start('late')
    await late.respond(Ask, () => 'late').ready
    expect(await answers[1]).to.equal('late')
    handler.release()
    expect(await answers[0]).to.equal(0)
  })

  it("respects the responder's pendingRequests if it is lower than its own", async () => {
    const { asker, responder } = await bus.startEach({ asker: {}, responder: { limits: { pendingRequests: 1 } } })
    await responder.respond(Ask, ({ payload }) => payload).ready
    const answers = await Promise.allSettled([0, 1, 2].map((n) => asker.request(Ask, n, PATIENT)))
    const outcomes = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.code))
    expect(outcomes).to.deep.equal([0, 1, 2])
  })

  it('sends requests declined by a responder that has just unsubscribed to another, and none is handled twice', async () => {
    const { asker, x, y } = await bus.startAll('asker', 'x', 'y')
    const handled: unknown[] = []
    const leaving = x.respond(Ask, async ({ payload }) => {
      leaving.unsubscribe()
      handled.push(payload)
      return 'x'
    })
    await leaving.ready
    await y.respond(Ask, async ({ payload }) => {
      handled.push(payload)
      return 'y'
    }).ready
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => asker.request(Ask, n, PATIENT)))
    expect(answers.filter((answer) => answer === 'x')).to.have.length(1)
    expect(answers.filter((answer) => answer === 'y')).to.have.length(39)
    expect(handled).to.have.length(40)
    expect(new Set(handled).size).to.equal(40)
  })

  it('gets answers to requests that the responder was handling when it unsubscribed', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const handler = new HeldHandler()
    const responding = responder.respond(Ask, handler.handle)
    await responding.ready
    const answers = [0, 1, 2].map((n) => asker.request(Ask, n, PATIENT))
    await until(() => handler.begun.length === 3)
    responding.unsubscribe()
    await until(() => !asker.isEndpointSubscribedTo('responder', 'ask'))
    expect(await rejection(asker.request(Ask, 3, PATIENT))).to.be.instanceOf(NoSubscribers)
    handler.release()
    expect(await Promise.all(answers)).to.deep.equal([0, 1, 2])
  })

  it('rejects declined and queued requests with NoSubscribers if there is no other responder', async () => {
    const { asker, responder } = await bus.startEach({ asker: { limits: { pendingRequests: 1 } }, responder: {} })
    const responding = responder.respond(Ask, () => 'never')
    await responding.ready
    responding.unsubscribe()
    const outcomes = [0, 1].map((n) => rejection(asker.request(Ask, n, PATIENT)))
    for (const error of await Promise.all(outcomes)) expect(error).to.be.instanceOf(NoSubscribers)
  })

  it('gets answers to requests in flight when the responder closes, and sends later ones to others', async () => {
    const { asker, leaver, other } = await bus.startAll('asker', 'leaver', 'other')
    const handler = await HeldHandler.respondingTo(Ask, leaver)
    const answer = asker.request(Ask, 0, PATIENT)
    await until(() => handler.begun.length === 1)
    await other.respond(Ask, () => 'other').ready
    const closed = leaver.close()
    await until(() => !asker.isEndpointSubscribedTo('leaver', 'ask'))
    expect(await asker.request(Ask, 1)).to.equal('other')
    handler.release()
    expect(await answer).to.equal(0)
    await closed
  })

  it('sends requests ahead of queued events', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const order: string[] = []
    await responder.subscribe(Tick, ({ payload }) => order.push(`tick ${payload}`)).ready
    await responder.respond(Ask, ({ payload }) => order.push(`request ${payload}`)).ready
    asker.broadcastNowait(Tick, 1)
    asker.broadcastNowait(Tick, 2)
    await asker.request(Ask, 1)
    await until(() => order.length === 3)
    expect(order).to.deep.equal(['request 1', 'tick 1', 'tick 2'])
  })

  it('sends ordered requests behind the events broadcast before, and to no more than these', async () => {
    const { asker, responder } = await bus.startEach({ asker: {}, responder: { limits: { windowBytes: 65_536 } } })
    let last = -1
    await responder.subscribe(Tick, ({ payload }) => {
      last = payload
    }).ready
    await responder.respond(Ask, ({ payload }) => last >= payload).ready
    const events = 20_000
    for (let n = 0; n < events; n++) asker.broadcastNowait(Tick, n)
    const asked = [asker.request(Ask, events - 1, { ordered: true }), asker.request(Ask, events - 1)]
    // Behind what follows the request too, it would wait until the last of these.
    for (let n = 0; n < 4 * events; n++) asker.broadcastNowait(Tick, events + n)
    expect(await Promise.all(asked)).to.deep.equal([true, false])
    expect(last).to.be.lessThan(5 * events - 1)
    await until(() => last === 5 * events - 1)
  })

  it('sends an ordered request to all behind the events of each, to itself as well', async () => {
    const endpoints = await bus.startAll('asker', 'other')
    for (const endpoint of Object.values(endpoints)) {
      let seen = 0
      await endpoint.subscribe(Tick, () => seen++).ready
      await endpoint.respond(Ask, () => seen).ready
    }
    for (let n = 0; n < 5_000; n++) endpoints.asker.broadcastNowait(Tick, n)
    const counts: unknown[] = []
    for await (const { payload } of endpoints.asker.requestAll(Ask, 0, { ordered: true })) counts.push(payload)
    expect(counts).to.deep.equal([5_000, 5_000])
  })

  it('sends an ordered request when the events before it are dropped or replaced, and not before', async () => {
    const Level = defineEvent<number>('level', { overflow: { latest: () => 'one' } })
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const order: string[] = []
    await responder.subscribe(Tick, ({ payload }) => order.push(`tick ${payload}`)).ready
    await responder.subscribe(Level, ({ payload }) => order.push(`level ${payload}`)).ready
    await responder.respond(Ask, ({ payload }) => order.push(`request ${payload}`)).ready
    asker.broadcastNowait(Tick, 1)
    asker.broadcastNowait(Level, 1)
    const answer = asker.request(Ask, 1, { ordered: true })
    asker.broadcastNowait(Level, 2)
    asker.broadcastNowait(Tick, 2)
    await answer
    await until(() => order.includes('tick 2'))
    expect(order.indexOf('request 1')).to.be.greaterThan(order.indexOf('tick 1'))
    expect(order.filter((each) => each.startsWith('level')).at(-1)).to.equal('level 2')
  })

  it('sends an ordered request behind the gap of the events before it that were dropped (G5)', async () => {
    const asker = await bus.start('asker', { limits: { frameBytes: 4096, outboxBytes: 8192, highWaterMark: 4000 } })
    const peer = await connectPeer(asker, { window: 1 })
    await peer.want({ type: 'big' }, { type: 'ask', responds: true })
    const big = defineEvent<Buffer>('big', { overflow: 'dropOldest' })
    for (const _ of numbers(4)) asker.broadcastNowait(big, Buffer.alloc(1000))
    const answer = asker.request(Ask, 1, { ordered: true })
    for (const _ of numbers(12)) asker.broadcastNowait(big, Buffer.alloc(1000))
    await peer.hears('event')
    peer.say({ kind: 'credit', bytes: 1_000_000, events: 1 })
    const request = await peer.hears('request')
    const heard = peer.heard.map(({ kind }) => kind)
    expect(heard.indexOf('gap')).to.be.within(0, heard.indexOf('request'))
    peer.say({ kind: 'response', id: request.id, payload: 1 })
    await answer
  })

  it('takes an ordered request back that waits behind events nobody reads', async () => {
    const asker = await bus.start('asker')
    const peer = await connectPeer(asker, { window: 1 })
    await peer.want({ type: 'tick' }, { type: 'ask', responds: true })
    asker.broadcastNowait(Tick, 1)
    asker.broadcastNowait(Tick, 2)
    const cancelled = new AbortController()
    const answer = rejection(asker.request(Ask, 1, { ordered: true, signal: cancelled.signal }))
    await until(() => peer.heardOf('event').length === 1)
    cancelled.abort()
    await answer
    peer.say({ kind: 'credit', bytes: 100_000, events: 1 })
    await until(() => peer.heardOf('event').length === 2)
    peer.say({ kind: 'ping' })
    await peer.hears('pong')
    expect(peer.heard.filter(({ kind }) => kind === 'request' || kind === 'cancel')).to.deep.equal([])
  })

  it('refuses an ordered that is neither true nor false', async () => {
    const asker = await bus.start('asker')
    // @ts-expect-error
    expect(await rejection(asker.request(Ask, 1, { ordered: 1 }))).to.have.property('code', 'LAHJA_INVALID_ARGUMENT')
  })

  it('sends responses ahead of queued events', async () => {
    const responder = await bus.start('responder')
    const peer = await connectPeer(responder)
    await peer.want({ type: 'tick' })
    responder.respond(Ask, () => {
      responder.broadcastNowait(Tick, 1)
      return 'response'
    })
    peer.say({ kind: 'request', id: 7, type: 'ask', payload: 1 })
    await until(() => peer.heardOf('event').length === 1)
    expect(peer.heard.slice(-2).map(({ kind }) => kind)).to.deep.equal(['response', 'event'])
  })

  it("can make a request from inside a handler, to the event's sender", async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const answers: unknown[] = []
    await a.respond(Ask, ({ payload }) => payload * 10).ready
    await b.subscribe(Tick, async ({ payload, origin }) => {
      answers.push(await b.request(Ask, payload, { to: origin }))
    }).ready
    for (let n = 1; n <= 5; n++) await a.broadcast(Tick, n)
    await until(() => answers.length === 5)
    expect(answers).to.deep.equal([10, 20, 30, 40, 50])
  })

  it('can answer with requests back and forth between two responders', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const countDown = (self: Endpoint) => async (event: { payload: number; origin: string }) => {
      const { payload, origin } = event
      return payload === 0 ? self.name : `${self.name} ${await self.request(Ask, payload - 1, { to: origin })}`
    }
    await a.respond(Ask, countDown(a)).ready
    await b.respond(Ask, countDown(b)).ready
    expect(await a.request(Ask, 4, { to: 'b' })).to.equal('b a b a b')
  })
})
