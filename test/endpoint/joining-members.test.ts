import { expect } from 'chai'
import { defineEvent } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { join, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'

const Job = defineEvent<number>('job')
const MEMBER = { type: 'job', queue: 'workers', capacity: 1 }

describe('Members that join a queue in which events wait', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('all get some when several are announced at once', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    await join(b, 'job', { queue: 'workers', prefetch: 0 }, new HeldHandler().handle)
    for (const n of numbers(5)) a.broadcastNowait(Job, n)
    const peer = await connectPeer(a)
    await peer.want({ ...MEMBER, member: 1 }, { ...MEMBER, member: 2 })
    await until(() => peer.heardOf('give').length === 2)
    expect(peer.heardOf('give').map(({ member }) => member)).to.deep.equal([1, 2])
  })

  it('leave nothing behind at senders, however many queues have come and gone', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const got: unknown[] = []
    for (const n of numbers(50)) {
      const { subscription } = await join(b, 'job', { queue: `q${n}`, prefetch: 1 }, ({ payload }) => got.push(payload))
      await a.broadcast(Job, n)
      await until(() => got.length === n + 1)
      subscription.unsubscribe()
    }
    await until(() => a.queues().length === 0)
    expect(b.queues()).to.be.empty
  })
})
