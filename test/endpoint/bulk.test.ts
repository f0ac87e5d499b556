import { expect } from 'chai'
import { defineEvent, defineRequest } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { DEALT, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { reportsOf } from '../support/reports'
import { turn } from '../support/workbench'

const Ask = defineRequest<unknown, unknown>('ask')
const Job = defineEvent<number>('job')
const LARGE = Buffer.alloc(1_000_000)

describe('Bulk messages', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('do not end the link, as many and as large as the limits allow (G11)', async () => {
    for (const isAsync of [false, true]) {
      const { asker, responder } = await bus.startAll('asker', 'responder')
      const lost = [reportsOf(asker), reportsOf(responder)]
      const handle = isAsync ? () => Promise.resolve(LARGE) : () => LARGE
      await responder.respond(Ask, handle).ready
      const responses = await Promise.all(numbers(isAsync ? 100 : 50).map(() => asker.request(Ask, 1)))
      expect(responses.every((response) => Buffer.isBuffer(response) && response.length === LARGE.length)).to.equal(
        true,
      )
      expect(lost).to.deep.equal([[], []])
      expect(asker.isConnectedTo('responder')).to.equal(true)
      await Promise.all([asker.close(), responder.close()])
    }
  }).timeout(60_000)

  it('that an asker leaves unread keep its next requests from being begun, until it reads (G7)', async () => {
    const responder = await bus.start('responder', { limits: { highWaterMark: 100_000 } })
    let begun = 0
    responder.respond(Ask, () => {
      begun++
      return Buffer.alloc(100_000)
    })
    const peer = await connectPeer(responder)
    peer.pause()
    peer.say(...numbers(100).map((id) => ({ kind: 'request' as const, id, type: 'ask', payload: undefined })))
    await until(() => begun > 0)
    for (let count = 0; count < 20; count++) await turn()
    const stopped = begun
    // What fits into the socket, one response in the outbox and one above its mark.
    expect(stopped).to.be.lessThan(20)
    peer.resume()
    await until(() => peer.heardOf('response').length === 100)
    expect(begun).to.equal(100)
    expect(peer.heardOf('response').map(({ id }) => id)).to.deep.equal(numbers(100))
  })

  it('share the connection with events: neither waits for the other (G8)', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const ticks: number[] = []
    await asker.subscribe('tick', ({ payload }) => void ticks.push(Number(payload))).ready
    await responder.respond(Ask, () => LARGE).ready
    let isOver = false
    const asking = Promise.all(
      numbers(32).map(async () => {
        while (!isOver) await asker.request(Ask, 1)
      }),
    )
    // Each awaited, so that one that waits behind the responses holds up the next.
    for (const number of numbers(60)) {
      await responder.broadcast('tick', number)
      await until(() => ticks.length > number)
    }
    isOver = true
    await asking
    expect(ticks).to.deep.equal(numbers(60))
  }).timeout(60_000)

  it('of a queue member that leaves all return to the sender, however many (G5)', async () => {
    const sender = await bus.start('sender', { limits: { windowBytes: 2 ** 22, outboxBytes: 2 ** 26 } })
    const member = await bus.start('member', { limits: { windowBytes: 2 ** 22 } })
    await sender.waitUntilConnectedTo('member')
    const held = new HeldHandler()
    const subscription = member.subscribe(Job, held.handle, DEALT)
    await subscription.ready
    const count = 74000
    for (const number of numbers(count)) sender.broadcastNowait(Job, number)
    await until(() => subscription.pending > count / 2)
    const got: number[] = []
    sender.subscribe(Job, ({ payload }) => void got.push(payload), { queue: 'workers' })
    const closing = member.close({ timeout: 60_000 })
    held.release()
    await closing
    await until(() => got.length + held.ended.length === count)
    expect(new Set([...got, ...held.ended]).size).to.equal(count)
  }).timeout(60_000)
})

describe('Requests', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('are handled by as many calls at a time as concurrency says, in order', async () => {
    const { asker, responder } = await bus.startAll('asker', 'responder')
    const held = new HeldHandler()
    const responding = responder.respond(Ask, held.handle, { concurrency: 2 })
    await responding.ready
    const asked = numbers(5).map((number) => asker.request(Ask, number))
    await until(() => responding.pending === 5)
    expect(held.begun).to.deep.equal([0, 1])
    held.releaseOne()
    await until(() => held.begun.length === 3)
    held.release()
    expect(await Promise.all(asked)).to.deep.equal(numbers(5))
    expect(held.begun).to.deep.equal(numbers(5))
  })

  it('that wait for their handler go elsewhere when the responder ends, and are not begun when they are cancelled', async () => {
    const { asker, first, second } = await bus.startAll('asker', 'first', 'second')
    const held = new HeldHandler()
    const responding = first.respond(Ask, held.handle, { concurrency: 1 })
    await responding.ready
    const abort = new AbortController()
    const running = asker.request(Ask, 'running')
    const cancelled = asker.request(Ask, 'cancelled', { signal: abort.signal }).catch((error) => error.code)
    const moved = asker.request(Ask, 'moved')
    await until(() => responding.pending === 3)
    abort.abort()
    await until(() => responding.pending === 2)
    await second.respond(Ask, ({ payload }) => `second ${payload}`).ready
    responding.unsubscribe()
    expect(await moved).to.equal('second moved')
    held.release()
    expect(await running).to.equal('running')
    expect(await cancelled).to.equal('LAHJA_ABORTED')
    expect(held.begun).to.deep.equal(['running'])
  })

  it('of one asker run no more than pendingRequests at a time, also those it has cancelled (G7)', async () => {
    const responder = await bus.start('responder', { limits: { pendingRequests: 3 } })
    const held = new HeldHandler()
    responder.respond(Ask, held.handle)
    const peer = await connectPeer(responder)
    for (const id of numbers(10)) {
      peer.say({ kind: 'request', id, type: 'ask', payload: id }, { kind: 'cancel', id })
    }
    peer.say({ kind: 'ping' })
    await peer.hears('pong')
    expect(held.begun).to.deep.equal([0, 1, 2])
    peer.say({ kind: 'request', id: 10, type: 'ask', payload: 10 })
    held.release()
    await peer.hears('response')
    expect(held.begun).to.deep.equal([0, 1, 2, 10])
  })

  it('of others are not held up by an asker that leaves its responses unread, nor after it has gone (G8)', async () => {
    const { responder, asker } = await bus.startAll('responder', 'asker')
    let begun = 0
    await responder.respond(Ask, () => {
      begun++
      return LARGE
    }).ready
    const peer = await connectPeer(responder)
    peer.pause()
    peer.say(...numbers(20).map((id) => ({ kind: 'request' as const, id, type: 'ask', payload: undefined })))
    await until(() => begun > 0)
    for (let count = 0; count < 20; count++) await turn()
    expect(begun).to.be.lessThan(20)
    expect(await asker.request(Ask, 1, { timeout: 5000 })).to.have.length(LARGE.length)
    peer.destroy()
    await until(() => responder.peers.length === 1)
    expect(await asker.request(Ask, 2, { timeout: 5000 })).to.have.length(LARGE.length)
  })

  it('of others are not held up by handlers that an asker has given up (G8)', async () => {
    const responder = await bus.start('responder', { limits: { pendingRequests: 2 } })
    const held = new HeldHandler()
    const asker = await bus.start('asker')
    await responder.respond(Ask, (event) => (event.payload === 'hang' ? held.handle(event) : event.payload)).ready
    await asker.waitUntilEndpointSubscribedTo('responder', Ask)
    const peer = await connectPeer(responder)
    for (const id of numbers(2)) peer.say({ kind: 'request', id, type: 'ask', payload: 'hang' }, { kind: 'cancel', id })
    peer.say({ kind: 'request', id: 2, type: 'ask', payload: 'waits' })
    await until(() => held.begun.length === 2)
    expect(await asker.request(Ask, 'other', { timeout: 5000 })).to.equal('other')
    expect(peer.heardOf('response')).to.deep.equal([])
    held.release()
    await peer.hears('response')
  })

  it('of two askers at their limits take turns with the one handler that may run', async () => {
    const responder = await bus.start('responder', { limits: { pendingRequests: 1 } })
    await responder.respond(Ask, async ({ payload }) => payload, { concurrency: 1 }).ready
    const askers = await Promise.all(['one', 'two', 'three'].map((name) => bus.start(name)))
    for (const asker of askers) await asker.waitUntilEndpointSubscribedTo('responder', Ask)
    for (let round = 0; round < 10; round++) {
      const answers = askers.map((asker, index) => asker.request(Ask, index, { timeout: 5000 }))
      expect(await Promise.all(answers)).to.deep.equal([0, 1, 2])
    }
  })

  it('that wait for the only responder settle when it stops responding', async () => {
    const { asker, responder } = await bus.startEach({ asker: {}, responder: { limits: { pendingRequests: 1 } } })
    const held = new HeldHandler()
    const responding = responder.respond(Ask, held.handle)
    await responding.ready
    const first = asker.request(Ask, 1)
    await until(() => held.begun.length === 1)
    const second = asker.request(Ask, 2).catch((error) => error.code)
    responding.unsubscribe()
    expect(await second).to.equal('LAHJA_NO_SUBSCRIBERS')
    held.release()
    expect(await first).to.equal(1)
  })

  it('go to a responder that has not answered the last one only if there is no other', async () => {
    const { asker, prompt } = await bus.startAll('asker', 'prompt')
    const silent = await connectPeer(asker)
    await silent.want({ type: 'ask', responds: true })
    await prompt.respond(Ask, () => 'prompt').ready
    const outcomes: unknown[] = []
    for (const _ of numbers(20)) {
      outcomes.push(await asker.request(Ask, 1, { timeout: 50 }).catch((error) => error.code))
    }
    expect(outcomes.filter((outcome) => outcome === 'LAHJA_REQUEST_TIMEOUT').length).to.be.at.most(1)
    await prompt.close()
    expect(await asker.request(Ask, 1, { timeout: 20 }).catch((error) => error.code)).to.equal('LAHJA_REQUEST_TIMEOUT')
  })

  it('go to a lagging responder only if there is no other (G11)', async () => {
    const asker = await bus.start('asker', { limits: { patience: 5 } })
    const slow = await connectPeer(asker, { name: 'a-slow' })
    await slow.want({ type: 'ask', responds: true }, { type: 'tick' })
    slow.pause()
    while (asker.peers[0]?.state !== 'lagging') await asker.broadcast('tick', LARGE)
    const prompt = await bus.start('prompt')
    await prompt.respond(Ask, () => 'prompt').ready
    await asker.waitUntilEndpointSubscribedTo('prompt', Ask)
    for (const _ of numbers(10)) expect(await asker.request(Ask, 1, { timeout: 1000 })).to.equal('prompt')
    expect(asker.peers.map(({ state }) => state)).to.deep.equal(['lagging', 'connected'])
  })

  it('go to an unresponsive responder only if there is no other', async () => {
    const asker = await bus.start('asker', { limits: { pingInterval: 10, silentPings: 1 } })
    const silent = await connectPeer(asker, { name: 'a-silent' })
    await silent.want({ type: 'ask', responds: true })
    silent.pause()
    await until(() => asker.peers[0]?.state === 'unresponsive')
    const prompt = await bus.start('prompt')
    await prompt.respond(Ask, () => 'prompt').ready
    await asker.waitUntilEndpointSubscribedTo('prompt', Ask)
    for (const _ of numbers(10)) expect(await asker.request(Ask, 1, { timeout: 1000 })).to.equal('prompt')
  })
})
