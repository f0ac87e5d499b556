import { expect } from 'chai'
import { NoSubscribers } from '../../src/model/errors'
import { queueEvent } from '../support/queue-events'
import { RecordingChannel } from '../support/recording-channel'
import { codesOf } from '../support/reports'
import { stepsDuring } from '../support/steps'
import { EVENT_BYTES, eventsOf, givenTo, KEYED_EVENT_BYTES, WorkQueuesBench } from '../support/work-queues-bench'

describe('WorkQueues', () => {
  let bench: WorkQueuesBench
  let till: RecordingChannel
  let desk: RecordingChannel

  beforeEach(() => {
    bench = new WorkQueuesBench()
    till = new RecordingChannel('till')
    desk = new RecordingChannel('desk')
  })

  it('hold the memory of an event until it has been handled', () => {
    bench.join(till, 1, 1)
    bench.sendAll(1, 2)
    expect(bench.budget.total).to.equal(2 * EVENT_BYTES)
    bench.progress(till, 1, { handled: [1, 1] })
    expect(bench.budget.total).to.equal(EVENT_BYTES)
    bench.progress(till, 1, { handled: [2, 1] })
    bench.progress(till, 1, { handled: [1, 2], returned: [1, 2] })
    expect(bench.budget.total).to.equal(0)
  })

  it('hold no memory of events that are dropped, replaced, assigned or lost', () => {
    bench = new WorkQueuesBench({ outboxBytes: KEYED_EVENT_BYTES })
    bench.join(till, 1, 0)
    for (const policy of ['dropOldest', 'dropNewest', 'latest', 'latest'] as const) bench.send(1, { policy, key: 'a' })
    expect([bench.waiting, bench.budget.total]).to.deep.equal([1, KEYED_EVENT_BYTES])
    bench.queues.loseWaiting()
    expect([bench.waiting, bench.budget.total]).to.deep.equal([0, 0])
  })

  it('give to others what a dead member had not begun, and tell what it had', () => {
    bench.join(till, 1, 5)
    bench.sendAll(1, 2, 3, 4, 5)
    bench.progress(till, 1, { capacity: 5, begun: 3, handled: [1, 1] })
    bench.join(desk, 1, 9)
    expect(bench.close(till)).to.deep.equal({ unfinished: [2, 3], returned: 2 })
    expect(givenTo(desk)).to.deep.equal([4, 5])
    expect(bench.queues.info()).to.deep.equal([
      { name: 'q', members: 1, inHand: 2, waiting: 0, returned: 2, redelivered: 0, dead: 0 },
    ])
    expect(bench.budget.total).to.equal(2 * EVENT_BYTES)
  })

  it('tell all that a member had in hand if nobody knows what it had begun last', () => {
    bench.join(till, 1, 5)
    bench.sendAll(1, 2, 3)
    bench.progress(till, 1, { capacity: 5, begun: 2, handled: [1, 1] })
    bench.join(desk, 1, 9)
    expect(bench.close(till, false)).to.deep.equal({ unfinished: [2, 3], returned: 0 })
    expect([givenTo(desk), bench.budget.total]).to.deep.equal([[], 0])
  })

  it('tell what all members of a dead endpoint had begun, also those that had unsubscribed', () => {
    const interest = bench.join(till, 1, 2)
    bench.join(till, 2, 2)
    bench.sendAll(1, 2, 3, 4)
    bench.unsubscribe(till, interest)
    const ofFirst = till.told.flatMap((message) => (message.kind === 'give' && message.member === 1 ? message : []))
    bench.progress(till, 1, { capacity: 0, begun: 1, returned: [2, 1] })
    expect(bench.queues.inHand(till)).to.equal(3)
    expect(bench.close(till)).to.deep.equal({ unfinished: [ofFirst[0]?.payload], returned: 2 })
    expect([bench.waiting, bench.queues.inHand(till)]).to.deep.equal([3, 0])
  })

  it('keep what waits while there is no member', () => {
    bench.join(till, 1, 1)
    bench.sendAll(1, 2)
    bench.close(till)
    expect(bench.queues.info()).to.deep.equal([
      { name: 'q', members: 0, inHand: 0, waiting: 2, returned: 1, redelivered: 0, dead: 0 },
    ])
    bench.join(desk, 1, 9)
    expect(givenTo(desk)).to.deep.equal([1, 2])
  })

  it('give nothing to a member that has unsubscribed, whatever it says', () => {
    const interest = bench.join(till, 1, 1)
    bench.sendAll(1, 2)
    bench.unsubscribe(till, interest)
    bench.progress(till, 1, { capacity: 10, begun: 1 })
    bench.progress(till, 1, { capacity: 10, begun: 1, handled: [1, 1] })
    expect([givenTo(till), bench.waiting]).to.deep.equal([[1], 1])
    bench.join(till, 2, 1)
    expect(givenTo(till)).to.deep.equal([2])
  })

  it('ignore the progress of members that they do not know', () => {
    bench.join(till, 1, 1)
    bench.sendAll(1)
    bench.progress(till, 2, { handled: [1, 1] })
    bench.progress(desk, 1, { handled: [1, 1] })
    expect(bench.queues.inHand(till)).to.equal(1)
  })

  it('report each event that waits as lost when the endpoint closes, and count them by queue', () => {
    bench.join(till, 1, 1)
    bench.sendAll(1, 2, 3)
    bench.state = 'closed'
    expect(bench.queues.loseWaiting()).to.deep.equal(new Map([['q', 2]]))
    expect(codesOf(bench.reported)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS', 'LAHJA_NO_SUBSCRIBERS'])
    expect(eventsOf(bench.reported)).to.deep.equal([2, 3])
    expect(bench.queues.loseWaiting()).to.deep.equal(new Map())
  })

  it('report as lost what comes back once the endpoint has closed', () => {
    const interest = bench.join(till, 1, 3)
    bench.join(desk, 1, 0)
    bench.sendAll(1, 2, 3)
    bench.state = 'closed'
    bench.unsubscribe(till, interest)
    bench.progress(till, 1, { capacity: 0, begun: 1, returned: [2, 1] })
    expect(eventsOf(bench.reported)).to.deep.equal([2])
    expect(bench.close(till)).to.deep.equal({ unfinished: [1], returned: 1 })
    expect(eventsOf(bench.reported)).to.deep.equal([2, 3])
    expect(bench.budget.total).to.equal(0)
  })

  it('bound what is given again after a while, with what waits, and drop the oldest', () => {
    bench = new WorkQueuesBench({ outboxBytes: 3 * EVENT_BYTES })
    bench.join(till, 1, 1)
    bench.join(desk, 1, 0)
    for (const number of [1, 2, 3, 4, 5]) {
      bench.send(number, { redelivery: { times: 9, delay: 1000 } })
      bench.progress(till, 1, { capacity: 1, begun: number, failed: [number, 1] })
    }
    expect([eventsOf(bench.reported), codesOf(bench.reported)]).to.deep.equal([
      [1, 2],
      Array(2).fill('LAHJA_OUTBOX_OVERFLOW'),
    ])
    expect([bench.waiting, bench.budget.total, bench.clock.pending]).to.deep.equal([3, 3 * EVENT_BYTES, 3])
    givenTo(till)
    bench.clock.advance(1000)
    expect([givenTo(till), bench.waiting, bench.budget.total]).to.deep.equal([[3], 2, 3 * EVENT_BYTES])
    bench.queues.loseWaiting()
    expect([eventsOf(bench.reported), bench.budget.total]).to.deep.equal([[1, 2, 4, 5], EVENT_BYTES])
  })

  it('take what is given again after a while for room that other queues need', () => {
    bench = new WorkQueuesBench({ outboxTotalBytes: 2 * EVENT_BYTES })
    bench.join(till, 1, 1)
    for (const number of [1, 2, 3]) {
      bench.send(number, { redelivery: { times: 9, delay: 1000 } })
      bench.progress(till, 1, { capacity: 1, begun: number, failed: [number, 1] })
    }
    expect([eventsOf(bench.reported), bench.budget.total]).to.deep.equal([[1], 2 * EVENT_BYTES])
  })

  it('report an event once whose dead letter nobody may have, and tell of no event that was one', () => {
    const redelivery = { deadLetter: 'job.dead' }
    bench.join(till, 1, 2)
    bench.send(1, { redelivery })
    bench.progress(till, 1, { capacity: 2, begun: 1 })
    bench.refusal = new NoSubscribers('nobody')
    expect(bench.close(till).unfinished).to.deep.equal([])
    expect([eventsOf(bench.reported), bench.unfinished, bench.budget.total]).to.deep.equal([[1], [], 0])
  })

  it('tell of an event that has failed once the endpoint has closed, and is no dead letter any more', () => {
    bench.join(till, 1, 2)
    bench.send(1, { redelivery: { deadLetter: 'job.dead' } })
    bench.state = 'closed'
    bench.progress(till, 1, { capacity: 2, begun: 1, failed: [1, 1] })
    expect([bench.broadcasts, bench.unfinished, bench.reported]).to.deep.equal([[], [['till', 1]], []])
  })

  it('keep the dead letter of an internal event to the endpoint', () => {
    const own = new RecordingChannel('shop', { isOwn: true })
    bench.join(own, 1, 2)
    bench.send(1, { redelivery: { deadLetter: 'job.dead' }, addressing: { internal: true } })
    bench.send(2, { redelivery: { deadLetter: 'job.dead' }, addressing: { to: ['shop'] } })
    bench.progress(own, 1, { capacity: 2, begun: 2, failed: [1, 2] })
    expect(bench.broadcasts).to.deep.equal([
      ['job.dead', 1, true],
      ['job.dead', 2, false],
    ])
  })

  it("give to the endpoint's own members, while it leaves, once the last other member is gone with empty hands", () => {
    for (const goes of ['unsubscribe', 'close'] as const) {
      const bench = new WorkQueuesBench()
      const own = new RecordingChannel('shop', { isOwn: true })
      const till = new RecordingChannel('till')
      bench.join(own, 1, 5)
      const interest = bench.join(till, 1, 0)
      bench.state = 'draining'
      bench.sendAll(1)
      expect(givenTo(own)).to.deep.equal([])
      if (goes === 'close') bench.close(till)
      else bench.unsubscribe(till, interest)
      expect(givenTo(own), goes).to.deep.equal([1])
    }
  })

  it('look at what waits for whom once at most when a member has room, and not at all for a new event', async () => {
    bench.join(till, 1, 1)
    const stepsOf = (place: number) => stepsDuring(() => bench.send(place, { filler: 3000 + place }))
    const before = await stepsOf(1)
    for (let place = 2; place < 500; place++) bench.send(place, { filler: 3000 + place })
    expect(await stepsOf(500)).to.be.at.most(2 * before)
    const handle = (number: number) => stepsDuring(() => bench.progress(till, 1, { handled: [number, 1] }))
    expect(await handle(1)).to.be.at.most(500 + 5 * before)
  })

  it('forget queues that have no members and nothing waits in', () => {
    for (let number = 0; number < 100; number++) {
      const interest = { type: 'job', queue: `q.${number}`, member: 1, capacity: 1 }
      bench.routes.add(till, interest)
      bench.queues.onSubscribe(till, [interest])
      bench.unsubscribe(till, interest)
    }
    expect(bench.queues.info()).to.deep.equal([])
  })

  it('forget a queue when what waits in it is lost', () => {
    bench.join(till, 1, 1)
    bench.sendAll(1, 2)
    bench.close(till)
    bench.queues.loseWaiting()
    expect(bench.queues.info()).to.deep.equal([])
  })

  describe('with events that wait for a queue', () => {
    const hold = (place: number, options: object = {}) => bench.send(place, { queue: '', hold: 1000, ...options })

    it('look at no others when the time of one is over', async () => {
      const stepsWith = async (others: number) => {
        bench = new WorkQueuesBench()
        for (let place = 1; place <= others; place++) hold(place, { hold: 10_000 })
        hold(others + 1)
        const steps = await stepsDuring(() => bench.clock.advance(1000))
        expect(eventsOf(bench.reported)).to.deep.equal([others + 1])
        return steps
      }
      // The clock itself looks at each of its timers, twice.
      expect((await stepsWith(1000)) - (await stepsWith(1))).to.be.below(2100)
      bench.queues.loseWaiting()
      expect([bench.queues.info(), bench.budget.total, bench.clock.pending]).to.deep.equal([[], 0, 0])
    })

    it('forget a queue whose members are all assigned events', () => {
      hold(1)
      bench.join(till, 1)
      expect(bench.assigned.map(([event]) => event.place)).to.deep.equal([1])
      expect([bench.queues.info(), bench.budget.total]).to.deep.equal([[], 0])
    })

    it('keep an event until a queue has a member that takes its size together with the name of the queue', () => {
      const limits = { frameBytes: 4096 }
      const small = new RecordingChannel('small', { limits })
      let filler = 4000
      const fits = () => queueEvent(1, { queue: '', filler }).fits(small)
      while (fits()) filler++
      filler--
      hold(1, { filler })
      bench.join(small, 1)
      expect(bench.assigned).to.deep.equal([])
      bench.clock.advance(1000)
      expect([eventsOf(bench.reported).length, bench.queues.info()]).to.deep.equal([1, []])
    })

    it('replace no later event of their key when they come to its queue', () => {
      const key = { policy: 'latest', key: 'a' } as const
      hold(1, { ...key, addressing: { to: ['desk'] } })
      bench.join(till, 1, 0)
      bench.send(2, key)
      bench.join(desk, 1, 1)
      expect(givenTo(desk)).to.deep.equal([2])
      expect([bench.waiting, bench.reported, bench.budget.total]).to.deep.equal([0, [], KEYED_EVENT_BYTES])
    })

    it('give them before later ones of their key that wait in its queue', () => {
      const key = { partition: 'a' }
      hold(1, { ...key, addressing: { to: ['desk'] } })
      hold(2, { ...key, addressing: { to: ['desk'] } })
      bench.join(till, 1, 0)
      for (const place of [3, 4, 5]) bench.send(place, { ...key, addressing: { to: ['till', 'desk'] } })
      bench.join(desk, 1, 1)
      bench.close(till)
      const given: unknown[] = []
      for (let number = 1; number <= 5; number++) {
        given.push(...givenTo(desk))
        bench.progress(desk, 1, { begun: number, handled: [number, 1] })
      }
      expect(given).to.deep.equal([1, 2, 3, 4, 5])
      expect(bench.budget.total).to.equal(0)
    })

    it('give them to a new member after older events that wait in its queue for others too', () => {
      bench.join(till, 1, 0, 'job')
      bench.send(1)
      hold(2, { type: 'bill' })
      bench.join(desk, 1, 1, '*')
      expect(givenTo(desk)).to.deep.equal([1])
      bench.progress(desk, 1, { begun: 1, handled: [1, 1] })
      expect(givenTo(desk)).to.deep.equal([2])
    })

    it('let senders wait again once most have gone to a queue', () => {
      bench = new WorkQueuesBench({ highWaterMark: EVENT_BYTES, patience: 100, windowBytes: EVENT_BYTES })
      hold(1, { hold: 10_000, addressing: { to: ['nobody'] } })
      hold(2, { hold: 10_000 })
      void Promise.all(bench.queues.drains())
      bench.clock.advance(101)
      bench.clock.turn()
      expect(hold(3, { hold: 10_000 })).to.equal(false)
      const interest = bench.join(till, 1, 9)
      bench.unsubscribe(till, interest)
      expect(hold(4)).to.equal(true)
    })
  })

  it('tell what is lost in order, wherever it waits', () => {
    bench.join(till, 1, 1)
    for (const place of [1, 2, 3]) bench.send(place, { partition: 'a' })
    for (const place of [4, 5, 6]) bench.send(place, { partition: 'b' })
    bench.send(7)
    bench.queues.loseWaiting()
    expect(eventsOf(bench.reported)).to.deep.equal([2, 3, 4, 5, 6, 7])
  })

  it('give events without a key by turns, also between those with a key', () => {
    bench.join(till, 1, 9)
    bench.join(desk, 1, 9)
    const numbers = { till: 0, desk: 0 }
    const plain: string[] = []
    for (let place = 1; place <= 20; place++) {
      bench.send(place, place % 2 === 0 ? { partition: 'a' } : {})
      for (const channel of [till, desk]) {
        const { name } = channel.identity
        if (givenTo(channel).length === 0) continue
        if (place % 2 === 1) plain.push(name)
        const number = ++numbers[name === 'till' ? 'till' : 'desk']
        bench.progress(channel, 1, { capacity: 9, begun: number, handled: [number, 1] })
      }
    }
    expect(plain.filter((name) => name === 'till').length).to.be.within(4, 6)
  })
})
