import { expect } from 'chai'
import { defineEvent, NoSubscribers } from '../../src'
import { freshBus, next, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { allOf, join, numbers } from '../support/members'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { turn } from '../support/workbench'

const Job = defineEvent<number>('job')

describe('A queue whose members have prefetch, as an endpoint closes', () => {
  const bus = freshBus()

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
