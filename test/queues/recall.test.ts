import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { InboxBench, progressOf } from '../support/inbox-bench'
import { RecordingChannel } from '../support/recording-channel'
import { SlowReader } from '../support/slow-reader'
import { WorkQueuesBench } from '../support/work-queues-bench'

const NEWS = { capacity: 10, begun: 0, handled: [], returned: [] }

/** Everything that follows from what has been resolved. */
const settled = () => setImmediate()

describe('a sender whose member is stuck', () => {
  let bench: WorkQueuesBench
  let till: RecordingChannel
  let desk: RecordingChannel

  /** What a channel was told since the last call, as kind and number. */
  const toldTo = (channel: RecordingChannel) =>
    channel.takeTold().map((message) => {
      if (message.kind === 'give') return `give ${message.payload}`
      return message.kind === 'recall' ? `recall ${message.through}` : message.kind
    })

  beforeEach(() => {
    bench = new WorkQueuesBench()
    till = new RecordingChannel('till')
    desk = new RecordingChannel('desk')
    bench.join(till, 1, 3)
  })

  async function stop(channel: RecordingChannel): Promise<void> {
    channel.isUnresponsive = true
    bench.queues.onPace(channel)
    await settled()
  }

  it('recalls what it has not begun, and gives it to others a second later', async () => {
    bench.sendAll(1, 2, 3)
    bench.progress(till, 1, { capacity: 3, begun: 1 })
    bench.join(desk, 1, 5)
    await stop(till)
    expect([toldTo(till), toldTo(desk)]).to.deep.equal([['give 1', 'give 2', 'give 3', 'recall 3'], []])
    bench.clock.advance(999)
    expect(toldTo(desk)).to.deep.equal([])
    bench.clock.advance(1)
    expect([toldTo(desk), bench.queues.inHand(till)]).to.deep.equal([['give 2', 'give 3'], 1])
    // It has woken.
    bench.progress(till, 1, { capacity: 3, begun: 1, handled: [1, 1], returned: [2, 2] })
    expect([bench.waiting, bench.queues.inHand(till), bench.queues.inHand(desk)]).to.deep.equal([0, 0, 2])
  })

  it('gives nothing to others that the member has begun or returned by then', async () => {
    bench.sendAll(1, 2, 3)
    bench.join(desk, 1, 5)
    await stop(till)
    bench.progress(till, 1, { capacity: 3, begun: 2, returned: [3, 1] })
    expect(toldTo(desk)).to.deep.equal(['give 3'])
    bench.clock.advance(1000)
    expect([toldTo(desk), bench.queues.inHand(till)]).to.deep.equal([[], 2])
  })

  it('gives new events to others meanwhile, and to the member again when it is well', async () => {
    bench.join(desk, 1, 2)
    await stop(till)
    bench.sendAll(1, 2, 3)
    expect([toldTo(till), toldTo(desk), bench.waiting]).to.deep.equal([[], ['give 1', 'give 2'], 1])
    till.isUnresponsive = false
    bench.queues.onPace(till)
    expect([toldTo(till), bench.waiting]).to.deep.equal([['give 3'], 0])
  })

  it('gives it events all the same, and recalls none, while no other member is well', async () => {
    await stop(till)
    bench.sendAll(1)
    expect(toldTo(till)).to.deep.equal(['give 1'])
    desk.isUnresponsive = true
    bench.join(desk, 1, 2)
    bench.queues.onPace(till)
    await settled()
    expect([toldTo(till), toldTo(desk)]).to.deep.equal([[], []])
    desk.isUnresponsive = false
    bench.queues.onPace(desk)
    await settled()
    expect(toldTo(till)).to.deep.equal(['recall 1'])
    bench.clock.advance(1000)
    expect(toldTo(desk)).to.deep.equal(['give 1'])
  })

  it('recalls what it has not begun when another member joins that is well', async () => {
    bench.sendAll(1, 2, 3)
    bench.progress(till, 1, { capacity: 3, begun: 1 })
    await stop(till)
    toldTo(till)
    bench.join(desk, 1, 5)
    await settled()
    expect(toldTo(till)).to.deep.equal(['recall 3'])
    bench.clock.advance(1000)
    expect([toldTo(desk), bench.queues.inHand(till)]).to.deep.equal([['give 2', 'give 3'], 1])
  })

  it('gives nothing to others before the recall has left the process', async () => {
    const reader = new SlowReader()
    const slow = new RecordingChannel('slow', { connection: reader })
    bench.join(slow, 1, 3)
    bench.progress(till, 1, { capacity: 0 })
    bench.sendAll(1)
    bench.progress(till, 1, { capacity: 3 })
    slow.outbox.pushMessage({ kind: 'ping' }, 100)
    slow.outbox.writeControl()
    await stop(slow)
    expect(toldTo(slow)).to.deep.equal(['give 1', 'recall 1'])
    bench.clock.advance(60_000)
    expect(toldTo(till)).to.deep.equal([])
    reader.read()
    await settled()
    bench.clock.advance(1000)
    expect(toldTo(till)).to.deep.equal(['give 1'])
  })

  it('leaves no timer behind when the member is gone', async () => {
    bench.sendAll(1)
    bench.join(desk, 1, 5)
    await stop(till)
    expect(bench.clock.pending).to.equal(1)
    bench.close(till)
    expect(bench.clock.pending).to.equal(0)
    expect(toldTo(desk)).to.deep.equal(['give 1'])
  })
})

describe('a member whose sender recalls events', () => {
  let shop: RecordingChannel
  let bench: InboxBench

  beforeEach(() => {
    shop = new RecordingChannel('shop')
    bench = new InboxBench()
  })

  it('returns those that have not begun, also those that are still on their way', () => {
    bench.give(shop, [1, 2, 3])
    bench.inbox.recall(shop, 4)
    bench.clock.turn()
    bench.give(shop, [4, 5])
    bench.clock.turn()
    expect(progressOf(shop)).to.deep.equal([
      { ...NEWS, begun: 1 },
      { ...NEWS, begun: 1, returned: [2, 2] },
      { ...NEWS, begun: 1, returned: [4, 1] },
    ])
    bench.finish()
    expect(bench.begun).to.deep.equal([1, 5])
  })

  it('begins nothing after a stop before it has read what has arrived meanwhile', async () => {
    bench.give(shop, [1, 2])
    bench.clock.advance(10_000)
    bench.finish()
    await settled()
    expect(bench.begun).to.deep.equal([1])
    bench.inbox.recall(shop, 2)
    bench.clock.turn()
    await settled()
    bench.give(shop, [3])
    expect(bench.begun).to.deep.equal([1, 3])
  })

  it('handles none that it has told of as begun if it was stopped before the handler was called', async () => {
    const reader = new SlowReader()
    const slow = new RecordingChannel('shop', { connection: reader })
    slow.outbox.pushMessage({ kind: 'ping' }, 100)
    bench.give(slow, [1])
    expect([progressOf(slow), bench.begun]).to.deep.equal([[{ ...NEWS, begun: 1 }], []])
    bench.clock.advance(10_000)
    reader.read()
    await settled()
    expect(bench.begun).to.deep.equal([])
    bench.inbox.recall(slow, 1)
    bench.clock.turn()
    await settled()
    bench.clock.turn()
    expect([progressOf(slow).at(-1), bench.begun]).to.deep.equal([{ ...NEWS, begun: 1, returned: [1, 1] }, []])
    expect(bench.inbox.isIdle).to.equal(true)
  })

  it('looks again in good time, so that an inbox that is always busy never waits', () => {
    const busy = new InboxBench({ capacity: 1000 })
    busy.give(
      shop,
      Array.from({ length: 100 }, (_, number) => number),
    )
    for (let left = 40; left > 0; left--) {
      const before = busy.begun.length
      busy.clock.advance(100)
      busy.finish()
      expect(busy.begun.length).to.be.above(before)
      busy.clock.turn()
    }
  })
})
