import { expect } from 'chai'
import { defineEvent, type Endpoint, type EndpointStats } from '../../src'
import { freshBus, until } from '../support/bus'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'

describe('endpoint.stats()', () => {
  const bus = freshBus()
  const { connect } = rawPeers()
  let shop: Endpoint
  let desk: Endpoint

  beforeEach(async () => {
    ;({ shop, desk } = await bus.startAll('shop', 'desk'))
  })

  const eventsOf = (endpoint: Endpoint, type: string) => endpoint.stats().events.find((events) => events.type === type)
  const requestsOf = (endpoint: Endpoint, type: string) =>
    endpoint.stats().requests.find((requests) => requests.type === type)

  it('counts what is broadcast, and what arrives and is handled, by type', async () => {
    await desk.subscribe('tick', () => {}).ready
    await desk.subscribe('>', ({ payload }) => {
      if (payload === 3) throw new Error('three')
    }).ready
    await shop.subscribe('tick', () => Promise.resolve()).ready
    desk.on('error', () => {})
    const counts: number[] = []
    for (const payload of [1, 2, 3]) counts.push(await shop.broadcast('tick', payload))
    counts.push(await shop.broadcast('tock', Buffer.alloc(100)))
    await shop.broadcast('nobody.hears', 1, { to: 'somebody' })
    await until(() => eventsOf(desk, 'tock')?.handled === 1 && eventsOf(shop, 'tick')?.handled === 3)
    expect(counts).to.deep.equal([2, 2, 2, 1])
    const none = { received: 0, receivedBytes: 0, handled: 0, failed: 0, dropped: 0 }
    const bytes = eventsOf(shop, 'tick')?.sentBytes ?? 0
    expect(eventsOf(shop, 'tick')).to.deep.equal({
      type: 'tick',
      ...{ sent: 3, deliveries: 6, sentBytes: bytes },
      ...{ received: 3, receivedBytes: bytes / 2, handled: 3, failed: 0, dropped: 0 },
    })
    expect(eventsOf(shop, 'nobody.hears')).to.deep.equal({
      ...{ type: 'nobody.hears', sent: 1, deliveries: 0, sentBytes: 0 },
      ...none,
    })
    expect(eventsOf(desk, 'tick')).to.deep.include({ received: 3, receivedBytes: bytes / 2, handled: 5, failed: 1 })
    expect(eventsOf(desk, 'tock')?.receivedBytes).to.be.within(100, 120)
  })

  it('counts the events of queues, whatever their prefetch, and what streams keep', async () => {
    await desk.subscribe('job', () => {}, { queue: 'jobs' }).ready
    await desk.subscribe('job', () => {}, { queue: 'others', prefetch: Number.POSITIVE_INFINITY }).ready
    await desk.stream('job').ready
    for (let number = 0; number < 10; number++) await shop.broadcast('job', number)
    await until(() => eventsOf(desk, 'job')?.handled === 30)
    expect(eventsOf(desk, 'job')).to.deep.include({ received: 30, handled: 30 })
    const [one, other, stream] = desk.stats().subscriptions
    expect(one).to.deep.include({ type: 'job', queue: 'jobs', handled: 10, waiting: 0 })
    expect(other).to.deep.include({ type: 'job', queue: 'others', handled: 10, waiting: 0 })
    expect(stream).to.deep.include({ type: 'job', queue: undefined, handled: 10, waiting: 10, running: 0 })
  })

  it('shows what waits for a handler, what runs, and how long it has taken', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await desk.subscribe('slow', () => held).ready
    await desk.subscribe('busy', () => {
      const end = performance.now() + 10
      while (performance.now() < end);
    }).ready
    for (const type of ['slow', 'slow', 'slow', 'busy', 'busy']) await shop.broadcast(type, 1)
    await until(() => eventsOf(desk, 'busy')?.handled === 2 && eventsOf(desk, 'slow')?.received === 3)
    const [slow, busy] = desk.stats().subscriptions
    expect(slow).to.deep.include({ type: 'slow', waiting: 2, running: 1, handled: 0 })
    expect(busy).to.deep.include({ type: 'busy', waiting: 0, running: 0, handled: 2 })
    expect(busy?.handlerMs).to.be.at.least(10)
    release()
    await until(() => eventsOf(desk, 'slow')?.handled === 3)
    expect(desk.stats().subscriptions[0]?.handlerMs).to.be.greaterThan(0)
  })

  it('counts requests by how they end, and how long their responses have taken', async () => {
    desk.on('error', () => {})
    await desk.respond('ask', async ({ payload }) => {
      if (payload === 'fail') throw new Error('failed')
      if (payload === 'hang') await new Promise(() => {})
      return payload
    }).ready
    for (const payload of [1, 2]) await shop.request('ask', payload)
    await rejection(shop.request('ask', 'fail'))
    await rejection(shop.request('ask', 'hang', { timeout: 20 }))
    const abort = new AbortController()
    const aborted = rejection(shop.request('ask', 'hang', { signal: abort.signal }))
    abort.abort()
    await aborted
    await rejection(shop.request('ask', Symbol('never sent')))
    const replies = []
    for await (const reply of shop.requestAll('ask', 3)) replies.push(reply)
    for await (const reply of shop.requestAll('ask', 'hang', { timeout: 20 })) replies.push(reply)
    expect(replies).to.have.length(2)
    const { latency, ...counts } = requestsOf(shop, 'ask') ?? expect.fail('no requests')
    expect(counts).to.deep.equal({
      ...{ type: 'ask', asked: 7, answered: 3, failed: 1, timedOut: 2, aborted: 1 },
      ...{ handled: 0, handlerFailed: 0 },
    })
    expect(latency.count).to.equal(3)
    expect(latency.sumMs).to.be.greaterThan(0)
    expect(requestsOf(desk, 'ask')).to.deep.include({ asked: 0, handled: 6, handlerFailed: 1 })
  })

  it('shows what is queued for a peer that does not read, what is dropped for it, and of which types', async () => {
    const { limited } = await bus.startEach({
      limited: { limits: { frameBytes: 65_536, highWaterMark: 30_000, outboxBytes: 100_000 } },
    })
    const Newest = defineEvent<Buffer>('newest', { overflow: 'dropNewest' })
    const peer = await connect(limited, { window: 1000 })
    await peer.want({ type: '>' })
    peer.pause()
    for (let number = 0; number < 20; number++) limited.broadcastNowait('oldest', Buffer.alloc(10_000))
    for (let number = 0; number < 5; number++) limited.broadcastNowait(Newest, Buffer.alloc(10_000))
    const stats = limited.stats().peers.find(({ name }) => name === 'raw')
    const dropped = eventsOf(limited, 'oldest')?.dropped ?? 0
    expect(dropped).to.be.within(8, 12)
    expect(eventsOf(limited, 'newest')?.dropped).to.equal(5)
    expect(stats).to.deep.include({ state: 'connected', droppedEvents: dropped + 5 })
    // One may be on its way already.
    expect(stats?.queuedEvents).to.be.within(19 - dropped, 20 - dropped)
    expect(stats?.queuedBytes).to.be.within(80_000, 100_000)
  })

  it('counts the gaps and the events that a peer has dropped', async () => {
    const peer = await connect(shop)
    peer.say({ kind: 'gap', count: 3 }, { kind: 'gap', count: 4 })
    await until(() => shop.stats().peers.some(({ gaps }) => gaps === 2))
    expect(shop.stats().peers.find(({ name }) => name === 'raw')).to.deep.include({
      gaps: 2,
      missedEvents: 7,
      reconnects: 0,
    })
  })

  it('counts how often a peer whose link broke has come back, and forgets it when it leaves', async () => {
    const statsOf = () => shop.stats().peers.find(({ name }) => name === 'raw')
    const first = await connect(shop)
    first.destroy()
    await until(() => statsOf() === undefined)
    const second = await connect(shop)
    expect(statsOf()?.reconnects).to.equal(1)
    second.say({ kind: 'goodbye', reason: 'left', text: '' })
    second.end()
    await until(() => statsOf() === undefined)
    await connect(shop)
    expect(statsOf()?.reconnects).to.equal(0)
  })

  it('is a snapshot of plain values, with its process', async () => {
    await desk.subscribe('tick', () => {}).ready
    const before: EndpointStats = shop.stats()
    const copy = structuredClone(before)
    await shop.broadcast('tick', 1)
    expect(before).to.deep.equal(copy)
    expect(JSON.parse(JSON.stringify(before)).name).to.equal('shop')
    const { rss, heapUsed, loopUtilization, loopDelay } = before.process
    expect(rss).to.be.greaterThan(heapUsed)
    expect(loopUtilization).to.be.within(0, 1)
    await until(() => shop.stats().process.loopDelay.maxMs > 0)
    expect(loopDelay.p99Ms).to.be.at.most(shop.stats().process.loopDelay.maxMs)
  })

  it('still tells after the endpoint is closed', async () => {
    await shop.broadcast('tick', 1)
    await shop.close()
    expect(shop.stats()).to.deep.include({ name: 'shop', state: 'closed', peers: [], subscriptions: [] })
    expect(eventsOf(shop, 'tick')?.sent).to.equal(1)
    expect(shop.peers.length + desk.peers.length).to.be.lessThan(2)
  })
})
