import { expect } from 'chai'
import { InboxBench, progressOf } from '../support/inbox-bench'
import { RecordingChannel } from '../support/recording-channel'
import { codesOf } from '../support/reports'
import { SlowReader } from '../support/slow-reader'
import { violation } from '../support/violation'
import { eventsOf } from '../support/work-queues-bench'
import { turn } from '../support/workbench'

const NEWS = { capacity: 10, begun: 0, handled: [], returned: [] }

describe('MemberInbox', () => {
  let shop: RecordingChannel
  let desk: RecordingChannel

  beforeEach(() => {
    shop = new RecordingChannel('shop')
    desk = new RecordingChannel('desk')
  })

  /** A channel whose messages leave this process when `reader` reads them. */
  function slowChannel(name: string) {
    const reader = new SlowReader()
    const channel = new RecordingChannel(name, { connection: reader })
    channel.outbox.pushMessage({ kind: 'ping' }, 100)
    return { reader, channel }
  }

  it('tells the sender that an event has begun, before the handler is called', () => {
    const bench = new InboxBench()
    let told: unknown
    bench.called = () => {
      told = progressOf(shop)
    }
    bench.give(shop, [1])
    expect(told).to.deep.equal([{ ...NEWS, begun: 1 }])
    expect(bench.begun).to.deep.equal([1])
  })

  it('tells of handled events at the end of the turn, together', () => {
    const bench = new InboxBench({ isQuick: true })
    bench.give(shop, [1, 2, 3])
    bench.clock.turn()
    bench.give(shop, [4])
    progressOf(shop)
    bench.give(shop, [5])
    bench.clock.turn()
    expect(progressOf(shop)).to.deep.equal([
      { ...NEWS, begun: 5, handled: [4, 1] },
      { ...NEWS, begun: 5, handled: [5, 1] },
    ])
  })

  it('tells nothing when there is no news', () => {
    const bench = new InboxBench({ isQuick: true })
    bench.inbox.report()
    bench.give(shop, [1])
    bench.clock.turn()
    shop.takeTold()
    bench.inbox.report()
    expect(shop.takeTold()).to.deep.equal([])
  })

  it('handles as many events concurrently as it may, in order', () => {
    const bench = new InboxBench({ concurrency: 2 })
    bench.give(shop, [1, 2, 3, 4])
    expect([bench.begun, bench.inbox.waiting]).to.deep.equal([[1, 2], 2])
    bench.finish()
    expect(bench.begun.slice(0, 3)).to.deep.equal([1, 2, 3])
  })

  it('begins ever more events at once while they take no time, and fewer when they do', () => {
    const bench = new InboxBench({ capacity: 1000 })
    bench.give(
      shop,
      Array.from({ length: 1000 }, (_, number) => number),
    )
    const batch = (elapsed: number) => {
      const size = bench.running.length
      bench.clock.advance(elapsed)
      for (const receipt of bench.running.splice(0)) receipt.done()
      return size
    }
    expect([0, 0, 0, 0].map(batch)).to.deep.equal([1, 2, 4, 8])
    expect([2, 2, 2, 2, 2, 2].map(batch)).to.deep.equal([16, 8, 4, 2, 1, 1])
    for (let round = 0; round < 8; round++) batch(0)
    expect([0, 0].map(batch)).to.deep.equal([256, 257])
  })

  it('keeps the events of each sender in order, by turns', () => {
    const bench = new InboxBench({ isQuick: true })
    bench.called = (payload) => {
      if (payload === 'a1') bench.give(shop, ['a2'])
      if (payload === 'a1') bench.give(desk, ['b1', 'b2'])
    }
    bench.give(shop, ['a1', 'a3'])
    expect(bench.begun).to.deep.equal(['a1', 'a2', 'b1', 'b2', 'a3'])
  })

  it('calls the handler only when the news has left this process', async () => {
    const bench = new InboxBench()
    const { reader, channel } = slowChannel('far')
    bench.give(channel, [1, 2])
    await turn()
    expect([bench.begun, progressOf(channel)]).to.deep.equal([[], [{ ...NEWS, begun: 1 }]])
    reader.read()
    await turn()
    expect(bench.begun).to.deep.equal([1])
  })

  it('begins the events of a sender that has left, although another does not read', async () => {
    const bench = new InboxBench()
    const left = new RecordingChannel('left')
    const { channel } = slowChannel('far')
    bench.give(channel, ['far'])
    bench.give(left, ['first', 'second'])
    bench.inbox.onClosed(left, true)
    bench.finish()
    await turn()
    expect(bench.begun).to.deep.equal(['first', 'second'])
  })

  it('counts events as waiting, and as in hand, while the news of them has not left this process', async () => {
    const bench = new InboxBench()
    const { reader, channel } = slowChannel('far')
    bench.give(channel, [1, 2, 3])
    expect([bench.inbox.waiting, bench.inbox.isIdle]).to.deep.equal([3, false])
    reader.read()
    await turn()
    expect(bench.inbox.waiting).to.equal(2)
  })

  it('begins events in order when the news of them leaves late', async () => {
    for (const concurrency of [1, 3, 4]) {
      const bench = new InboxBench({ concurrency, isQuick: true })
      const { reader, channel } = slowChannel('far')
      bench.give(channel, [1, 2, 3, 4, 5, 6])
      reader.read()
      await turn()
      expect(bench.begun, `${concurrency}`).to.deep.equal([1, 2, 3, 4, 5, 6])
    }
  })

  it("begins a sender's events in order when some of them are begun with those of a slow one", async () => {
    const bench = new InboxBench({ concurrency: 4 })
    bench.give(shop, [1, 2, 3, 4])
    const { reader, channel } = slowChannel('far')
    bench.give(channel, ['slow'])
    bench.give(desk, ['a', 'b', 'c', 'd', 'e', 'f'])
    bench.finish()
    while (bench.running.length > 0) bench.finish()
    await turn()
    while (bench.running.length > 0) bench.finish()
    reader.read()
    while (bench.begun.length < 11) {
      await turn()
      bench.finish()
    }
    expect(bench.begun.filter((payload) => typeof payload === 'string' && payload !== 'slow')).to.deep.equal([
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
    ])
  })

  it('does not handle an event whose sender had not been told that it has begun when the link broke', async () => {
    const bench = new InboxBench()
    const { channel } = slowChannel('far')
    bench.give(channel, [1, 2])
    bench.give(desk, ['other'])
    channel.outbox.close()
    bench.inbox.onClosed(channel, false)
    await turn()
    expect(bench.begun).to.deep.equal(['other'])
    bench.finish()
    expect([bench.inbox.isIdle, bench.reported]).to.deep.equal([true, []])
  })

  it('is idle when the last events in hand belonged to a broken link', async () => {
    const bench = new InboxBench()
    const { channel } = slowChannel('far')
    bench.give(channel, [1, 2])
    channel.outbox.close()
    bench.inbox.onClosed(channel, false)
    await turn()
    expect([bench.inbox.isIdle, bench.idle]).to.deep.equal([true, 1])
  })

  it('handles the events of a sender that has left, also if it was not told that they have begun', async () => {
    const bench = new InboxBench({ isQuick: true })
    const { channel } = slowChannel('far')
    bench.give(channel, [1, 2])
    channel.outbox.close()
    bench.inbox.onClosed(channel, true)
    await turn()
    expect(bench.begun).to.deep.equal([1, 2])
  })

  it('waits for nothing before it begins events of its own endpoint', () => {
    const bench = new InboxBench()
    const own = new RecordingChannel('self', { isOwn: true, connection: new SlowReader() })
    own.outbox.pushMessage({ kind: 'ping' }, 100)
    bench.give(own, [1])
    expect(bench.begun).to.deep.equal([1])
  })

  it('refuses more events of one sender than it takes', async () => {
    const bench = new InboxBench({ capacity: 2 })
    bench.give(shop, [1, 2])
    bench.give(desk, [1, 2])
    expect(violation(() => bench.give(shop, [3]))).to.equal('window-exceeded')
    bench.finish()
    bench.give(shop, [4])
    expect(violation(() => bench.give(shop, [5]))).to.equal('window-exceeded')
  })

  it('counts events that are not let in as handled', () => {
    const bench = new InboxBench({ isQuick: true })
    bench.give(shop, [1], { type: 'secret' })
    bench.give(shop, [2])
    bench.clock.turn()
    expect(bench.begun).to.deep.equal([2])
    expect(progressOf(shop).map(({ handled }) => handled)).to.deep.equal([[], [1, 1], [2, 1]])
  })

  it('returns what the handler gives back', () => {
    const bench = new InboxBench()
    bench.give(shop, [1, 2])
    bench.running.shift()?.release()
    bench.clock.turn()
    expect(bench.begun).to.deep.equal([1, 2])
    expect(progressOf(shop).map(({ returned }) => returned)).to.deep.equal([[], [1, 1]])
  })

  describe('of a subscription that has ended', () => {
    it('returns at once what has not begun, and what comes later', () => {
      const bench = new InboxBench()
      bench.give(shop, [1, 2, 3])
      bench.give(shop, [4], { isFixed: true })
      shop.takeTold()
      bench.inbox.close()
      expect(progressOf(shop)).to.deep.equal([{ ...NEWS, capacity: 0, begun: 1, returned: [2, 3] }])
      bench.give(shop, [5])
      bench.clock.turn()
      expect(progressOf(shop)).to.deep.equal([{ ...NEWS, capacity: 0, begun: 1, returned: [5, 1] }])
      expect([bench.begun, bench.inbox.isIdle, bench.idle]).to.deep.equal([[1], false, 0])
      bench.finish()
      bench.clock.turn()
      expect(progressOf(shop)).to.deep.equal([{ ...NEWS, capacity: 0, begun: 1, handled: [1, 1] }])
      expect([bench.inbox.isIdle, bench.idle]).to.deep.equal([true, 1])
    })

    it('reports events as lost whose sender has left', () => {
      const bench = new InboxBench()
      bench.give(shop, [1, 2, 3])
      shop.outbox.close()
      bench.inbox.onClosed(shop, true)
      bench.inbox.close()
      expect(codesOf(bench.reported)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS', 'LAHJA_NO_SUBSCRIBERS'])
      expect(eventsOf(bench.reported)).to.deep.equal([2, 3])
    })

    it('tells of as many runs of numbers in one message as fit into any frame', () => {
      const bench = new InboxBench({ capacity: 1000 })
      for (let number = 1; number <= 1000; number++) bench.give(shop, [number], { isFixed: number % 2 === 1 })
      shop.takeTold()
      bench.inbox.leave()
      const messages = progressOf(shop)
      expect(messages.map(({ returned }) => returned.length)).to.deep.equal([128, 128, 128, 128, 128, 128, 128, 104])
      const numbers = messages.flatMap(({ returned }) => returned.filter((_, index) => index % 2 === 0))
      expect(numbers).to.deep.equal(Array.from({ length: 500 }, (_, index) => 2 * index + 2))
    })
  })

  describe('of an endpoint that leaves', () => {
    it('returns what others may have, now and later, and handles the rest', () => {
      const bench = new InboxBench()
      const own = new RecordingChannel('self', { isOwn: true })
      bench.give(shop, [1, 2])
      bench.give(shop, ['fixed'], { isFixed: true })
      bench.give(own, ['own'])
      bench.give(own, ['own, fixed'], { isFixed: true })
      shop.takeTold()
      bench.inbox.leave()
      expect(progressOf(shop)).to.deep.equal([{ ...NEWS, begun: 1, returned: [2, 1] }])
      expect(progressOf(own)).to.deep.equal([{ ...NEWS, begun: 0, returned: [1, 1] }])
      bench.give(shop, [4])
      bench.give(shop, ['later'], { isFixed: true })
      bench.clock.turn()
      expect(progressOf(shop)).to.deep.equal([{ ...NEWS, begun: 1, returned: [4, 1] }])
      while (!bench.inbox.isIdle) bench.finish()
      expect(bench.begun).to.deep.equal([1, 'fixed', 'own, fixed', 'later'])
    })

    it('keeps everything if no other endpoint has a member', () => {
      const bench = new InboxBench()
      bench.hasOthers = false
      bench.give(shop, [1, 2])
      bench.inbox.leave()
      bench.give(shop, [3])
      while (!bench.inbox.isIdle) bench.finish()
      expect(bench.begun).to.deep.equal([1, 2, 3])
    })

    it('tells senders that it still takes what no other may have', () => {
      const bench = new InboxBench()
      const senders = [new RecordingChannel('self', { isOwn: true }), shop]
      for (const sender of senders) bench.give(sender, [1], { isFixed: true })
      bench.inbox.leave()
      while (!bench.inbox.isIdle) bench.finish()
      bench.clock.turn()
      for (const sender of senders) {
        expect(progressOf(sender).at(-1)).to.deep.equal({ ...NEWS, begun: 1, handled: [1, 1] })
      }
    })

    it('returns everything that has not begun when its time is over', () => {
      const bench = new InboxBench()
      bench.hasOthers = false
      bench.give(shop, [1, 2])
      bench.give(shop, [3], { isFixed: true })
      bench.inbox.leave()
      shop.takeTold()
      bench.inbox.close()
      expect(progressOf(shop)).to.deep.equal([{ ...NEWS, capacity: 0, begun: 1, returned: [2, 2] }])
    })
  })

  describe('whose link with a sender breaks', () => {
    it('drops what has not begun of that sender, as others get it', () => {
      const bench = new InboxBench()
      bench.give(shop, [1, 2])
      bench.give(desk, ['a'])
      shop.outbox.close()
      bench.inbox.onClosed(shop, false)
      bench.finish()
      bench.finish()
      expect([bench.begun, bench.reported, bench.inbox.isIdle]).to.deep.equal([[1, 'a'], [], true])
    })

    it('goes on with the same sender on another link', () => {
      const bench = new InboxBench({ capacity: 2 })
      bench.give(shop, [1, 2])
      shop.outbox.close()
      bench.inbox.onClosed(shop, false)
      const again = new RecordingChannel('shop')
      bench.give(again, [2, 3])
      bench.finish()
      expect(bench.begun.slice(0, 2)).to.deep.equal([1, 2])
    })
  })

  describe('that adapts how many events it takes', () => {
    const capacities = (channel: RecordingChannel) => progressOf(channel).map(({ capacity }) => capacity)

    it('takes as many more as it handles in some milliseconds, of all senders together', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 2 })
      bench.give(shop, [1, 2])
      bench.give(desk, [3])
      bench.clock.advance(4)
      bench.finish()
      bench.clock.turn()
      expect([capacities(shop), capacities(desk)]).to.deep.equal([[2, 1, 2], []])
      bench.clock.advance(4)
      bench.finish()
      bench.clock.turn()
      expect([capacities(shop), capacities(desk)]).to.deep.equal([[3], [3]])
    })

    it('refuses only what is more than the most that it has said that it takes', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 2, isQuick: true })
      bench.give(shop, [1])
      bench.clock.turn()
      expect(capacities(shop).at(-1)).to.equal(2001)
      const slow = new InboxBench({ isAdaptive: true, capacity: 2 })
      slow.give(shop, [1, 2])
      expect(violation(() => slow.give(shop, [3]))).to.equal('window-exceeded')
    })

    it('returns the latest that wait beyond that, once an event has taken long', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      bench.give(shop, [1, 2, 3, 4])
      bench.clock.advance(6)
      bench.finish()
      bench.clock.turn()
      expect(progressOf(shop).at(-1)).to.deep.equal({ capacity: 2, begun: 2, handled: [], returned: [4, 1] })
    })

    it('returns all that wait behind an event that takes long, if others may have them', () => {
      for (const hasOthers of [true, false]) {
        const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
        bench.hasOthers = hasOthers
        const till = new RecordingChannel('till')
        bench.give(till, [1, 2, 3])
        bench.give(till, [4], { isFixed: true })
        progressOf(till)
        bench.clock.advance(49)
        bench.clock.turn()
        expect(progressOf(till)).to.deep.equal([])
        bench.clock.advance(1)
        bench.clock.turn()
        const returned = { capacity: 1, begun: 1, handled: [], returned: [2, 2] }
        expect(progressOf(till)).to.deep.equal(hasOthers ? [returned] : [])
        expect(bench.inbox.waiting).to.equal(hasOthers ? 1 : 3)
      }
    })

    it('looks again as long as events wait, and no longer', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      bench.hasOthers = false
      bench.give(shop, [1, 2])
      bench.clock.advance(200)
      bench.hasOthers = true
      bench.clock.advance(50)
      expect(progressOf(shop).at(-1)?.returned).to.deep.equal([2, 1])
      bench.clock.advance(50)
      expect(bench.clock.pending).to.equal(0)
    })

    it('returns also what it has told as begun and not handed to the handler', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      // Handled at once: then more are begun together.
      for (const payload of [1, 2, 3]) {
        bench.give(shop, [payload])
        bench.finish()
      }
      bench.give(shop, [4, 5, 6, 7, 8])
      bench.finish()
      bench.clock.turn()
      const { length } = bench.running
      expect(length).to.be.greaterThan(1)
      bench.clock.advance(100)
      bench.clock.turn()
      const { returned } = progressOf(shop).at(-1) ?? {}
      expect([bench.running.length, returned]).to.deep.equal([1, [6, 3]])
    })

    /** Gives events of which the last ones are begun and not handled: the first of them takes long. */
    function beginAhead(bench: InboxBench, delivery?: Parameters<InboxBench['give']>[2]) {
      for (const payload of [1, 2, 3]) {
        bench.give(shop, [payload])
        bench.finish()
      }
      bench.give(shop, [4, 5, 6, 7, 8], delivery)
      bench.finish()
      bench.clock.turn()
      progressOf(shop)
    }

    it('keeps what it has told as begun of a sender that has left, as nobody else has it', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      beginAhead(bench)
      shop.outbox.close()
      bench.inbox.onClosed(shop, true)
      bench.clock.advance(100)
      expect(bench.reported).to.deep.equal([])
      while (!bench.inbox.isIdle) bench.finish()
      expect(bench.begun).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8])
    })

    it('keeps what it has told as begun and no other may have', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      beginAhead(bench, { isFixed: true })
      bench.inbox.leave()
      bench.clock.advance(100)
      bench.clock.turn()
      expect(progressOf(shop).flatMap(({ returned }) => returned)).to.deep.equal([])
    })

    it('returns what others may have from behind an event that no other may have', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      bench.admitted.push('large')
      bench.shared = ['job']
      bench.give(shop, ['long'], { type: 'large' })
      bench.give(shop, ['short'])
      bench.clock.advance(100)
      bench.clock.turn()
      expect(progressOf(shop).at(-1)?.returned).to.deep.equal([2, 1])
    })

    it('keeps the events of a sender that leaves, which may have no time to give them to others', () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 10 })
      bench.give(shop, [1, 2])
      shop.isLeaving = true
      bench.clock.advance(100)
      bench.clock.turn()
      expect([progressOf(shop).at(-1)?.returned, bench.inbox.waiting]).to.deep.equal([[], 1])
    })

    it('does not count the time as work in which it waits for the next event', async () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 2 })
      const { channel } = slowChannel('far')
      bench.give(channel, [1])
      channel.outbox.close()
      bench.inbox.onClosed(channel, false)
      await turn()
      bench.clock.advance(700)
      bench.give(desk, [2])
      bench.finish()
      bench.clock.turn()
      expect(capacities(desk).at(-1)).to.equal(2001)
    })

    it('does not count the time as work in which only events of a sender wait that does not read', async () => {
      const bench = new InboxBench({ isAdaptive: true, capacity: 2 })
      const { channel } = slowChannel('far')
      bench.give(channel, ['far', 'next'])
      for (const payload of [1, 2, 3]) {
        bench.clock.advance(100)
        await turn()
        bench.give(desk, [payload])
        bench.finish()
        bench.clock.turn()
      }
      expect(capacities(desk).at(-1)).to.equal(2001)
    })
  })

  it('returns the rest of what begins together, once one event has taken long, where others may have it', () => {
    for (const hasOthers of [true, false]) {
      const bench = new InboxBench({ isQuick: true, capacity: 100 })
      bench.hasOthers = hasOthers
      const till = new RecordingChannel('till')
      // Handled at once: then more are begun together.
      for (const payload of [1, 2, 3, 4]) bench.give(till, [payload])
      // What comes while one is being handled waits, and begins together.
      bench.called = (payload) => {
        if (payload === 5) bench.give(till, [6, 7, 8, 9])
        if (payload === 6) bench.clock.advance(6)
      }
      bench.give(till, [5])
      bench.clock.turn()
      expect(bench.begun).to.deep.equal(hasOthers ? [1, 2, 3, 4, 5, 6] : [1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(progressOf(till).at(-1)?.returned).to.deep.equal(hasOthers ? [7, 3] : [])
    }
  })

  it('begins few events together again, once one of several that began together has taken long', () => {
    const bench = new InboxBench({ isQuick: true, capacity: 100 })
    for (const payload of [1, 2, 3, 4]) bench.give(shop, [payload])
    bench.called = (payload) => {
      if (payload === 5) bench.give(shop, [6, 7, 8, 9])
      if (payload === 6) bench.clock.advance(6)
      if (payload === 10) bench.give(shop, [11, 12, 13, 14, 15])
      if (payload === 11) expect(progressOf(shop).at(-1)?.begun).to.equal(12)
    }
    bench.give(shop, [5])
    bench.clock.turn()
    bench.give(shop, [10])
    expect(bench.begun.slice(-6)).to.deep.equal([10, 11, 12, 13, 14, 15])
  })
})
