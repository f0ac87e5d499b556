import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { CloseTimeout, defineEvent, NoSubscribers } from '../../src'
import { freshBus, next, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { allOf, join, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { turn } from '../support/workbench'

const Job = defineEvent<number>('job')

describe('A queue whose members have prefetch, as an endpoint closes', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('has its own members handle what waits for them, as no other may have it', async () => {
    const { a } = await bus.startAll('a', 'b')
    const reports = reportsOf(a)
    const { got } = await join(a, 'job', { queue: 'workers', prefetch: 1 }, turn)
    for (const n of numbers(20)) a.broadcastNowait(Job, n)
    await a.close()
    expect(got).to.deep.equal(numbers(20))
    expect(reports).to.be.empty
  })

  it('has its own members handle what is told as begun, however slow they become', async () => {
    const { a } = await bus.startAll('a')
    const reports = reportsOf(a)
    let slowly: () => unknown = () => {}
    const { got } = await join(a, 'job', { queue: 'workers', prefetch: 500 }, () => slowly())
    for (const n of numbers(2000)) await a.broadcast(Job, n)
    await until(() => got.length === 2000)
    slowly = turn
    for (const n of numbers(100)) a.broadcastNowait(Job, 2000 + n)
    await until(() => got.length > 2000)
    await a.close()
    expect(got).to.deep.equal(numbers(2100))
    expect(reports).to.be.empty
  })

  it('gives what its own members have not begun to others that have room', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(a)
    const own = new HeldHandler()
    await join(a, 'job', { queue: 'workers', prefetch: 10 }, own.handle)
    const busy = new HeldHandler()
    await join(b, 'job', { queue: 'workers', prefetch: 0 }, busy.handle)
    for (const n of numbers(14)) a.broadcastNowait(Job, n)
    await until(() => own.begun.length === 1 && busy.begun.length === 1)
    const closed = a.close({ timeout: 20_000 })
    busy.release()
    await until(() => busy.ended.length === 13)
    own.release()
    await closed
    expect([...own.ended, ...busy.ended].map(Number).sort((one, other) => one - other)).to.deep.equal(numbers(14))
    expect(reports).to.be.empty
  })

  it('gives what waits to its own members when the last other one leaves', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const held = new HeldHandler()
    await join(b, 'job', { queue: 'workers', prefetch: 0 }, held.handle)
    a.broadcastNowait(Job, 0)
    await until(() => held.begun.length === 1)
    const own = new HeldHandler()
    await join(a, 'job', { queue: 'workers', prefetch: 0 }, own.handle)
    for (const n of [1, 2, 3]) a.broadcastNowait(Job, n)
    await until(() => own.begun.length === 1)
    const closed = a.close()
    own.release()
    await until(() => own.ended.length === 1)
    held.release()
    await b.close()
    await closed
    expect([...own.ended, ...held.ended].sort()).to.deep.equal([0, 1, 2, 3])
  })

  it('has the only member, if its endpoint closes, handle what waits at the sender too (G5)', async () => {
    for (const prefetch of [0, 3, 'auto'] as const) {
      const { a, b } = await bus.startEach({ a: {}, b: {} })
      const reports = reportsOf(a)
      const { got } = await join(b, 'job', { queue: 'workers', prefetch }, turn)
      for (const n of numbers(300)) a.broadcastNowait(Job, n)
      await until(() => got.length > 0)
      await b.close()
      expect(got).to.deep.equal(numbers(300))
      expect(reports).to.be.empty
      await a.close()
    }
  })

  it('keeps for the next member what the only one could not handle in its time', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const held = new HeldHandler()
    await join(b, 'job', { queue: 'workers' }, held.handle)
    for (const n of numbers(20)) a.broadcastNowait(Job, n)
    await until(() => held.begun.length === 1)
    const closing = rejection(b.close({ timeout: 100 }))
    expect(await closing).to.have.property('code', 'LAHJA_CLOSE_TIMEOUT')
    await until(() => !a.isConnectedTo('b'))
    const { got } = await join(c, 'job')
    await until(() => got.length === 19)
    expect(got).to.deep.equal(numbers(20).slice(1))
    held.release()
  })

  it('gives a member whose endpoint closes nothing that others may have', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const [leaving, staying] = [new HeldHandler(), new HeldHandler()]
    await join(b, 'job', { queue: 'workers', prefetch: 0 }, leaving.handle)
    await join(c, 'job', { queue: 'workers', prefetch: 0 }, staying.handle)
    for (const n of numbers(20)) a.broadcastNowait(Job, n)
    await until(() => leaving.begun.length + staying.begun.length === 2)
    const closed = b.close()
    leaving.release()
    await closed
    staying.release()
    await until(() => staying.ended.length === 19)
    expect(leaving.ended).to.have.length(1)
  })

  it('lets a member that closes have what another gives back as it closes too, also if that is slow', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const reports = [a, b, c].map((each) => reportsOf(each))
    const members = [
      await join(b, 'job', { queue: 'workers', prefetch: 50 }, turn),
      await join(c, 'job', { queue: 'workers', prefetch: 50 }, turn),
    ]
    for (const n of numbers(500)) a.broadcastNowait(Job, n)
    await until(() => members.every(({ got }) => got.length > 0))
    await Promise.all([b.close(), c.close()])
    expect(allOf(...members)).to.deep.equal(numbers(500))
    expect(reports.flat()).to.be.empty
  })

  it('leaves what no member has room for to them when half of the time of its sender is over', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const reports = reportsOf(a)
    const held = [new HeldHandler(), new HeldHandler()]
    for (const [index, member] of [b, c].entries()) {
      await join(member, 'job', { queue: 'workers', prefetch: 0 }, held[index]?.handle)
    }
    for (const n of numbers(100)) a.broadcastNowait(Job, n)
    await until(() => held.every(({ begun }) => begun.length === 1))
    await a.close({ timeout: 200 })
    for (const each of held) each.release()
    await until(() => held.reduce((sum, { ended }) => sum + ended.length, 0) === 100)
    expect(held.flatMap(({ ended }) => ended).sort((one, other) => Number(one) - Number(other))).to.deep.equal(
      numbers(100),
    )
    for (const { ended } of held) expect(ended).to.have.length(50)
    expect(reports).to.be.empty
  })

  it('reports events with a partition that no member had room for, as they might overtake others', async () => {
    const Keyed = defineEvent<number>('keyed', { partition: () => 'one' })
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(a)
    const held = new HeldHandler()
    await join(b, 'keyed', { queue: 'workers' }, held.handle)
    for (const n of numbers(3)) a.broadcastNowait(Keyed, n)
    await until(() => held.begun.length === 1)
    expect(await rejection(a.close({ timeout: 100 }))).to.have.deep.property(
      'undelivered',
      new Map([['queue workers', 2]]),
    )
    expect(codesOf(reports)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS', 'LAHJA_NO_SUBSCRIBERS'])
    expect(reports.map((error) => error instanceof NoSubscribers && error.event?.payload)).to.deep.equal([1, 2])
    held.release()
    await until(() => held.ended.length === 1)
  })

  it('lets no member begin what might not end in time: it goes to the next one, and no handler is cut off', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const ended: unknown[] = []
    const work = async ({ payload }: { payload: unknown }) => {
      await setTimeout(20)
      ended.push(payload)
    }
    await join(b, 'job', { queue: 'workers', concurrency: 5 }, work)
    for (const n of numbers(1000)) a.broadcastNowait(Job, n)
    await until(() => ended.length > 0)
    const left = once(a, 'left')
    await b.close({ timeout: 400 })
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 0 })
    expect(ended).to.have.length.below(1000)
    const had = ended.length
    await join(c, 'job', { queue: 'workers', concurrency: 1000 }, work)
    await until(() => ended.length === 1000)
    expect(new Set(ended).size).to.equal(1000)
    expect(had).to.be.above(0)
  })

  it('has a member that closes give back what it took as the only one, once another joins', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const held = new HeldHandler()
    await join(b, 'job', { queue: 'workers', prefetch: 100 }, held.handle)
    for (const n of numbers(200)) a.broadcastNowait(Job, n)
    await until(() => held.begun.length === 1)
    const closed = b.close({ timeout: 60_000 })
    held.releaseOne()
    await until(() => held.begun.length === 2)
    const { got } = await join(c, 'job')
    await until(() => (a.queues()[0]?.returned ?? 0) > 0)
    held.release()
    await closed
    await until(() => got.length === 200 - held.ended.length)
    expect([...held.ended, ...got].sort((one, other) => Number(one) - Number(other))).to.deep.equal(numbers(200))
    expect(held.ended.length).to.be.below(100)
  })

  it('waits for nothing at senders once the handler of a closing member has ended its subscription', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    let handled = 0
    const subscription = b.subscribe(
      Job,
      async () => {
        await turn()
        if (++handled === 3) subscription.unsubscribe()
      },
      { queue: 'workers' },
    )
    await subscription.ready
    for (const n of numbers(100)) a.broadcastNowait(Job, n)
    await until(() => handled > 0)
    await b.close({ timeout: Number.POSITIVE_INFINITY })
    await until(() => !a.isConnectedTo('b'))
    expect(a.queues()[0]).to.include({ name: 'workers', members: 0, inHand: 0, waiting: 97 })
    await rejection(a.close())
  }).timeout(20_000)

  it('keeps what a sender gives that leaves too, as that has nobody to give it to (G5)', async () => {
    const { m, n } = await bus.startAll('m', 'n')
    const held = new HeldHandler()
    await m.subscribe('slow', held.handle).ready
    const members = [await join(m, 'job'), await join(n, 'job')]
    const sender = await connectPeer(m)
    await until(() => sender.heardOf('subscribe').length > 0)
    const member =
      sender
        .heardOf('subscribe')
        .flatMap(({ interests }) => interests)
        .find(({ queue }) => queue)?.member ?? 0
    m.broadcastNowait('slow', 1)
    await until(() => held.begun.length === 1)
    const closed = m.close()
    await until(() => sender.heardOf('unsubscribe').length > 0)
    sender.say(
      { kind: 'give', member, number: 1, type: 'job', isFixed: false, payload: 'late' },
      { kind: 'goodbye', reason: 'left', text: 'bye' },
    )
    await sender.hears('progress')
    expect(sender.heardOf('progress')).to.deep.equal([
      { kind: 'progress', member, capacity: 2, begun: 0, handled: [], returned: [1, 1] },
    ])
    held.release()
    await closed
    expect(allOf(...members)).to.be.empty
  })

  it('has a member that joins meanwhile, and then closes, keep what nobody takes back any more (G5)', async () => {
    const { a, busy, b } = await bus.startAll('a', 'busy', 'b')
    const reports = reportsOf(b)
    const held = new HeldHandler()
    await join(busy, 'job', { queue: 'workers', prefetch: 0 }, held.handle)
    for (const n of [0, 1]) a.broadcastNowait(Job, n, { to: 'busy' })
    for (const n of numbers(8)) a.broadcastNowait(Job, 2 + n)
    await until(() => held.begun.length === 1)
    const closed = a.close({ timeout: 20_000 })
    const late = new HeldHandler()
    await join(b, 'job', { queue: 'workers', prefetch: 9 }, late.handle)
    await until(() => late.begun.length === 1 && b.peers.some(({ subscriptions }) => subscriptions.length === 0))
    held.release()
    await closed
    const ended = b.close({ timeout: 20_000 })
    late.release()
    await ended
    expect([...held.ended, ...late.ended].map(Number).sort((one, other) => one - other)).to.deep.equal(numbers(10))
    expect(reports).to.be.empty
  })

  it('reports nothing as lost that its own members have handled, and counts all that it does', async () => {
    for (const prefetch of [0, 3, 'auto'] as const) {
      const a = await bus.start(`a-${prefetch}`)
      const reports = reportsOf(a)
      const { got } = await join(a, 'job', { queue: 'workers', prefetch }, turn)
      for (const n of numbers(5000)) a.broadcastNowait(Job, n)
      await until(() => got.length > 10)
      const error = await rejection(a.close({ timeout: 4 }))
      const lost = reports.map((each) => each instanceof NoSubscribers && each.event?.payload)
      expect(got.filter((payload) => lost.includes(Number(payload)))).to.deep.equal([])
      expect(error).to.be.instanceOf(CloseTimeout)
      if (error instanceof CloseTimeout) expect(error.undelivered.get('queue workers')).to.equal(lost.length)
    }
  })

  it('drops nothing silently where more waits than fits into the outbox of a member', async () => {
    const limits = { outboxBytes: 70_000, highWaterMark: 10_000, frameBytes: 4096 }
    const { a, b } = await bus.startEach({ a: { limits }, b: { limits: { ...limits, windowBytes: 1 } } })
    const reports = reportsOf(a)
    const held = new HeldHandler()
    for (const queue of ['one', 'two']) await join(b, queue, { queue, prefetch: 0 }, held.handle)
    for (const n of numbers(70))
      for (const type of ['one', 'two']) a.broadcastNowait(type, { n, filler: 'x'.repeat(500) })
    await until(() => held.begun.length === 2)
    const gaps: number[] = []
    b.on('gap', ({ count }) => gaps.push(count))
    const error = await rejection(a.close({ timeout: 1000 }))
    expect(reports.length).to.be.above(0)
    expect(error).to.be.instanceOf(CloseTimeout)
    held.release()
    const undelivered = error instanceof CloseTimeout ? (error.undelivered.get('b') ?? 0) : 0
    await until(() => held.ended.length + reports.length + undelivered >= 140)
    expect(gaps).to.deep.equal([])
  })

  it('leaves nothing to members that have taken nothing while others have', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const held = new HeldHandler()
    const quick: unknown[] = []
    await join(b, 'job', { queue: 'workers', prefetch: 0 }, held.handle)
    await join(c, 'job', { queue: 'workers', prefetch: 0 }, async ({ payload }) => {
      await setTimeout(5)
      quick.push(payload)
    })
    for (const n of numbers(200)) a.broadcastNowait(Job, n)
    await until(() => held.begun.length === 1 && quick.length > 0)
    await a.close({ timeout: 300 })
    await until(() => quick.length === 199)
    held.release()
  })

  it('leaves what waits to a member whose endpoint closes too, if that has more time', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(a)
    const { got } = await join(b, 'job', { queue: 'workers' }, () => setTimeout(10))
    for (const n of numbers(50)) a.broadcastNowait(Job, n)
    await until(() => got.length > 0)
    await Promise.all([a.close({ timeout: 100 }), b.close({ timeout: 20_000 })])
    // What is assigned in the end may overtake what was in hand.
    expect(got.sort((one, other) => Number(one) - Number(other))).to.deep.equal(numbers(50))
    expect(reports).to.be.empty
  })

  it('remembers no more members of a peer that says that it leaves, again and again, than it may have', async () => {
    const a = await bus.start('a', { limits: { interests: 10 } })
    const peer = await connectPeer(a)
    for (let sequence = 10; sequence < 1010; sequence += 2) {
      const interests = [{ type: 'job', queue: `q-${sequence}`, member: sequence, capacity: 1 }]
      peer.say({ kind: 'subscribe', sequence, interests })
      peer.say({ kind: 'unsubscribe', sequence: sequence + 1, interests, isLast: false })
    }
    await until(() => peer.heardOf('acknowledge').some(({ sequence }) => sequence === 1009))
    expect(a.queues().length).to.be.at.most(11)
  })

  it('tells each event that a member has in hand which does not read the goodbye', async () => {
    const a = await bus.start('a')
    const peer = await connectPeer(a)
    await peer.want({ type: 'job', queue: 'workers', member: 1, capacity: 2 })
    const told: unknown[] = []
    a.on('unfinished', ({ peer: { name }, event }) => told.push([name, event.payload]))
    for (const n of [1, 2]) a.broadcastNowait(Job, n)
    await peer.hears('give')
    peer.pause()
    const error = await rejection(a.close({ timeout: 100 }))
    expect(error).to.have.deep.property('undelivered', new Map([['raw', 2]]))
    expect(told).to.deep.equal([
      ['raw', 1],
      ['raw', 2],
    ])
  })

  it('counts nothing as undelivered that members have and handle', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const held = new HeldHandler()
    const { subscription } = await join(b, 'job', { queue: 'workers', prefetch: 10 }, held.handle)
    for (const n of numbers(5)) a.broadcastNowait(Job, n)
    await until(() => subscription.pending === 5)
    await a.close()
    held.release()
    await until(() => held.ended.length === 5)
  })

  it('counts no event as unfinished that an ended subscription has handled last', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const held = new HeldHandler()
    const { subscription } = await join(b, 'job', { queue: 'workers', prefetch: 0 }, held.handle)
    a.broadcastNowait(Job, 0)
    await until(() => held.begun.length === 1)
    subscription.unsubscribe()
    await b.subscribe('other', () => {}).ready
    let unfinished: readonly unknown[] = [undefined]
    a.on('left', (_peer, left) => {
      unfinished = left.unfinishedEvents
    })
    const left = next(a, 'left')
    const closed = b.close()
    await until(() => a.connectedEndpointsAndSubscriptions.get('b')?.size === 0)
    held.release()
    await closed
    await left
    expect(unfinished).to.be.empty
  })
})
