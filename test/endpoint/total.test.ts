import { expect } from 'chai'
import { systemClock } from '../../src/platform/clock'
import { freshBus, until } from '../support/bus'
import { numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'

const LIMITS = { outboxTotalBytes: 4 * 2 ** 20, outboxBytes: 3 * 2 ** 20, frameBytes: 2 ** 17, highWaterMark: 2 ** 20 }

describe('The total of all outboxes', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('is taken from peers that have stopped reading when it is used up, not from one that reads (G7, G8)', async () => {
    let passed = 0
    const clock = { ...systemClock, now: () => systemClock.now() + passed }
    const sender = await bus.startBy(clock, 'sender', { limits: LIMITS })
    const fast = await bus.start('fast')
    let got = 0
    await fast.subscribe('tick', () => void got++).ready
    const stopped = await Promise.all(
      numbers(12).map(async (number) => {
        const peer = await connectPeer(sender, {
          name: `stopped${number}`,
          id: `${number}`.padStart(13, '0'),
          window: 1000,
        })
        await peer.want({ type: 'filler' })
        return peer
      }),
    )
    // Each event goes to one of them, so that they share no memory.
    for (const number of numbers(12)) {
      for (const _ of numbers(4)) sender.broadcastNowait('filler', Buffer.alloc(90_000), { to: `stopped${number}` })
    }
    passed = 1000
    for (const _ of numbers(300)) sender.broadcastNowait('tick', Buffer.alloc(5000))
    await until(() => got === 300)
    const dropped = new Map(sender.peers.map(({ name, droppedEvents }) => [name, droppedEvents]))
    expect(dropped.get('fast')).to.equal(0)
    expect([...dropped.values()].reduce((sum, count) => sum + count)).to.be.greaterThan(0)
    for (const peer of stopped) peer.destroy()
  }).timeout(10_000)
})
