import { expect } from 'chai'
import { defineEvent } from '../../src'
import { freshBus, next, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { join, numbers } from '../support/members'
import { reportsOf } from '../support/reports'
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
