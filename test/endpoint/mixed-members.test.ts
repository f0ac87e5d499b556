import { expect } from 'chai'
import { defineEvent } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { allOf, join, joinHeld, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { reportsOf } from '../support/reports'

const Job = defineEvent<number>('job')

describe('A queue with members with and without prefetch', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('gives the events of a member without that unsubscribes to the others', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const reports = reportsOf(a)
    const leaver = await joinHeld(b)
    for (const n of numbers(30)) a.broadcastNowait(Job, n)
    await until(() => leaver.subscription.pending === 30)
    const other = await join(c, 'job', { queue: 'workers', prefetch: 1 })
    leaver.subscription.unsubscribe()
    leaver.held.release()
    await until(() => other.got.length === 29)
    expect(allOf(leaver, other)).to.deep.equal(numbers(30))
    expect(reports).to.be.empty
  })

  it('gives the events of a member without that leaves the bus to the others', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const leaver = await joinHeld(b)
    for (const n of numbers(30)) a.broadcastNowait(Job, n)
    await until(() => leaver.subscription.pending === 30)
    const other = await join(c, 'job', { queue: 'workers', prefetch: 1 })
    const closed = b.close()
    await until(() => other.got.length === 29)
    leaver.held.release()
    await closed
    expect(allOf(leaver, other)).to.deep.equal(numbers(30))
  })

  it('gives events that were not sent to a member without, as its link broke, to the others', async () => {
    const { a, c } = await bus.startAll('a', 'c')
    const peer = await connectPeer(a, { window: 1 })
    await peer.want({ type: 'job', queue: 'workers' })
    for (const n of numbers(10)) a.broadcastNowait(Job, n)
    const other = await join(c, 'job', { queue: 'workers', prefetch: 1 })
    await peer.hears('assign')
    peer.destroy()
    await until(() => other.got.length === 9)
    expect(allOf(other)).to.deep.equal(numbers(10).slice(1))
  })

  it('reports what a member without returns if no other may have it', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const reports = reportsOf(a)
    const leaver = await joinHeld(b)
    await join(c, 'job', { queue: 'workers', prefetch: 1 }, new HeldHandler().handle)
    a.broadcastNowait(Job, 1, { to: 'b' })
    a.broadcastNowait(Job, 2, { to: 'b' })
    await until(() => leaver.subscription.pending === 2)
    leaver.subscription.unsubscribe()
    await until(() => reports.length === 1)
    expect(reports[0]).to.have.property('code', 'LAHJA_NO_SUBSCRIBERS')
    leaver.held.release()
  })
})
