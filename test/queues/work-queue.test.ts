import { expect } from 'chai'
import fc from 'fast-check'
import { RecordingChannel } from '../support/recording-channel'
import { codesOf } from '../support/reports'
import { Watched } from '../support/watched'
import { EVENT_BYTES, eventsOf, givenTo, WorkQueuesBench } from '../support/work-queues-bench'
import { turn } from '../support/workbench'

describe('WorkQueue', () => {
  let bench: WorkQueuesBench
  let till: RecordingChannel
  let desk: RecordingChannel

  beforeEach(() => {
    bench = new WorkQueuesBench()
    till = new RecordingChannel('till', { groups: ['front'] })
    desk = new RecordingChannel('desk')
  })

  it('gives an event to the member with the fewest in hand, and by turns if there are several', () => {
    bench.join(till, 1, 3)
    bench.join(desk, 1, 3)
    bench.sendAll(1, 2, 3, 4)
    expect([givenTo(till).length, givenTo(desk).length]).to.deep.equal([2, 2])
    bench.progress(till, 1, { capacity: 3, handled: [1, 2] })
    bench.sendAll(5, 6)
    expect([givenTo(till), givenTo(desk)]).to.deep.equal([[5, 6], []])
  })

  it('keeps events until a member has room, and gives the oldest first', () => {
    bench.join(till, 1, 1)
    bench.sendAll(1, 2, 3)
    expect([givenTo(till), bench.waiting]).to.deep.equal([[1], 2])
    bench.progress(till, 1, { begun: 1, handled: [1, 1] })
    expect([givenTo(till), bench.waiting]).to.deep.equal([[2], 1])
    bench.join(desk, 1, 5)
    expect([givenTo(desk), bench.waiting]).to.deep.equal([[3], 0])
  })

  it('gives what comes back to others, in its old order among what waits', () => {
    const interest = bench.join(till, 1, 3)
    bench.sendAll(1, 2, 3, 4, 5)
    bench.unsubscribe(till, interest)
    bench.progress(till, 1, { capacity: 0, begun: 1, returned: [2, 2] })
    expect(bench.waiting).to.equal(4)
    bench.join(desk, 1, 10)
    expect(givenTo(desk)).to.deep.equal([2, 3, 4, 5])
    expect(bench.queues.info()).to.deep.equal([
      { name: 'q', members: 1, inHand: 5, waiting: 0, returned: 2, redelivered: 0, dead: 0 },
    ])
  })

  it('does not let an event wait behind one that only others may have', () => {
    bench.join(till, 1, 1)
    bench.join(desk, 1, 1)
    bench.send(1, { addressing: { to: 'till' } })
    bench.send(2, { addressing: { to: 'till' } })
    bench.send(3, { addressing: { except: { group: 'front' } } })
    bench.send(4)
    expect([givenTo(till), givenTo(desk)]).to.deep.equal([[1], [3]])
    bench.progress(desk, 1, { handled: [1, 1] })
    expect([givenTo(till), givenTo(desk)]).to.deep.equal([[], [4]])
    bench.progress(till, 1, { handled: [1, 1] })
    expect([givenTo(till), bench.waiting]).to.deep.equal([[2], 0])
  })

  it('gives the oldest of all events that a member may have, whoever else may have them', () => {
    bench.join(till, 1, 0)
    bench.send(1)
    bench.send(2, { addressing: { to: 'till' } })
    bench.send(3)
    bench.send(4, { addressing: { to: { group: 'front' } } })
    bench.send(5)
    bench.progress(till, 1, { capacity: 5 })
    expect(givenTo(till)).to.deep.equal([1, 2, 3, 4, 5])
  })

  it('gives events of several types to the members that take them', () => {
    bench.join(till, 1, 1, 'job.*')
    bench.join(desk, 1, 1, 'job.b')
    bench.send(1, { type: 'job.a' })
    bench.send(2, { type: 'job.a' })
    bench.send(3, { type: 'job.b' })
    expect([givenTo(till), givenTo(desk), bench.waiting]).to.deep.equal([[1], [3], 1])
  })

  it('gives a large event only to a member that takes it, and lets smaller ones pass', () => {
    const small = new RecordingChannel('small', { limits: { frameBytes: 5000 } })
    bench.join(small, 1, 9)
    bench.join(till, 1, 1)
    bench.send(1, { addressing: { to: 'till' } })
    bench.send(2, { filler: 6000 })
    bench.send(3, { filler: 4000 })
    bench.send(4)
    expect([givenTo(till), givenTo(small)]).to.deep.equal([[1], [3, 4]])
    bench.progress(till, 1, { handled: [1, 1] })
    expect(givenTo(till)).to.deep.equal([2])
  })

  it('deals events that waited to every member of an endpoint that joins with several', () => {
    const interest = bench.join(desk, 1, 0)
    bench.sendAll(1, 2, 3)
    bench.unsubscribe(desk, interest)
    const interests = [1, 2, 3].map((member) => ({ type: 'job', queue: 'q', member, capacity: 1 }))
    for (const interest of interests) bench.routes.add(till, interest)
    bench.queues.onSubscribe(till, interests)
    const members = till.told.map((message) => message.kind === 'give' && message.member)
    expect(members).to.have.members([1, 2, 3])
    expect(givenTo(till)).to.deep.equal([1, 2, 3])
  })

  it('assigns what members that say how many they take have no room for to those that do not say it', () => {
    bench.join(till, 1, 1)
    bench.join(desk, 0)
    bench.sendAll(1, 2, 3)
    expect(givenTo(till)).to.deep.equal([1])
    expect(bench.assigned.map(([{ place }, channels]) => [place, channels])).to.deep.equal([
      [2, ['desk']],
      [3, ['desk']],
    ])
    expect(bench.budget.total).to.equal(EVENT_BYTES)
  })

  it('assigns what waits to a member that joins and does not say how many it takes', () => {
    bench.join(till, 1, 0)
    bench.sendAll(1, 2)
    bench.join(desk, 0)
    expect(bench.assigned.map(([{ place }]) => place)).to.deep.equal([1, 2])
    expect([bench.waiting, bench.budget.total]).to.deep.equal([0, 0])
  })

  it("of an endpoint that leaves gives to the endpoint's own members only what no other may have", () => {
    const own = new RecordingChannel('shop', { isOwn: true })
    bench.join(own, 1, 5)
    bench.join(till, 1, 1)
    bench.state = 'draining'
    bench.sendAll(1, 2)
    bench.send(3, { addressing: { internal: true } })
    expect([givenTo(own), givenTo(till), bench.waiting]).to.deep.equal([[3], [1], 1])
    bench.close(till)
    expect(givenTo(own)).to.deep.equal([1, 2])
  })

  it('is dealt when nothing waits that a member may have', () => {
    expect(bench.queues.isDealt).to.equal(true)
    bench.join(till, 1, 0)
    bench.send(1)
    expect(bench.queues.isDealt).to.equal(false)
    bench.close(till)
    expect(bench.queues.isDealt, 'without members').to.equal(true)
    bench.join(desk, 1, 0)
    expect(bench.queues.isDealt).to.equal(false)
    bench.progress(desk, 1, { capacity: 1 })
    expect(bench.queues.isDealt).to.equal(true)
  })

  describe('that is full', () => {
    beforeEach(() => {
      bench = new WorkQueuesBench({ outboxBytes: 3 * EVENT_BYTES, highWaterMark: EVENT_BYTES })
      bench.join(till, 1, 0)
    })

    /** The payloads that waited. */
    function left(): unknown[] {
      bench.progress(till, 1, { capacity: 100 })
      return givenTo(till)
    }

    for (const policy of ['wait', 'dropOldest', 'disconnect'] as const) {
      it(`drops its oldest events by the policy ${policy}, and reports each`, () => {
        for (const place of [1, 2, 3, 4, 5]) bench.send(place, { policy })
        expect(codesOf(bench.reported)).to.deep.equal(['LAHJA_OUTBOX_OVERFLOW', 'LAHJA_OUTBOX_OVERFLOW'])
        expect(eventsOf(bench.reported)).to.deep.equal([1, 2])
        expect(left()).to.deep.equal([3, 4, 5])
      })
    }

    it('drops the new event by the policy dropNewest', () => {
      for (const place of [1, 2, 3, 4, 5]) bench.send(place, { policy: 'dropNewest' })
      expect(eventsOf(bench.reported)).to.deep.equal([4, 5])
      expect(left()).to.deep.equal([1, 2, 3])
    })

    it('never drops an event that a member has room for', () => {
      bench.progress(till, 1, { capacity: 1 })
      for (const place of [1, 2, 3, 4]) bench.send(place, { policy: 'dropNewest' })
      expect([givenTo(till), bench.reported]).to.deep.equal([[1], []])
    })

    it('drops the oldest, although it can go to fewer members than others', () => {
      bench.send(1, { addressing: { to: 'till' } })
      for (const place of [2, 3, 4]) bench.send(place, { policy: 'dropOldest' })
      expect(eventsOf(bench.reported)).to.deep.equal([1])
    })

    it('counts only what waits', () => {
      bench.progress(till, 1, { capacity: 100 })
      for (let place = 0; place < 20; place++) bench.send(place)
      expect(bench.reported).to.deep.equal([])
    })
  })

  describe('by the policy latest', () => {
    it('replaces a waiting event of the same key, which moves to the end', () => {
      bench.join(till, 1, 0)
      const send = (place: number, key: string) => bench.send(place, { policy: 'latest', key })
      send(1, 'a')
      send(2, 'b')
      send(3, 'a')
      bench.send(4)
      expect([bench.waiting, bench.reported]).to.deep.equal([3, []])
      bench.progress(till, 1, { capacity: 9 })
      expect(givenTo(till)).to.deep.equal([2, 3, 4])
    })

    it('replaces nothing that a member has in hand', () => {
      bench.join(till, 1, 1)
      for (const place of [1, 2, 3]) bench.send(place, { policy: 'latest', key: 'a' })
      expect(givenTo(till)).to.deep.equal([1])
      bench.progress(till, 1, { capacity: 9 })
      expect(givenTo(till)).to.deep.equal([3])
    })

    it('replaces an event that waits for other members', () => {
      bench.join(till, 1, 0)
      bench.send(1, { policy: 'latest', key: 'a', addressing: { to: 'till' } })
      bench.send(2, { policy: 'latest', key: 'a' })
      bench.progress(till, 1, { capacity: 9 })
      expect(givenTo(till)).to.deep.equal([2])
    })
  })

  describe('over the high-water mark', () => {
    beforeEach(() => {
      bench = new WorkQueuesBench({ highWaterMark: 2 * EVENT_BYTES, patience: 100, slowShare: 1 })
      bench.join(till, 1, 0)
      bench.sendAll(1, 2)
    })

    it('makes senders wait, until it is below it', async () => {
      expect(bench.send(3)).to.equal(true)
      const drained = new Watched(Promise.all(bench.queues.drains()))
      await turn()
      expect(drained.isDone).to.equal(false)
      bench.progress(till, 1, { capacity: 1 })
      await drained.done
      expect(bench.clock.pending).to.equal(0)
    })

    it('makes no senders of another policy wait', () => {
      for (const policy of ['dropOldest', 'dropNewest', 'disconnect', 'latest'] as const) {
        expect(bench.send(3, { policy }), policy).to.equal(false)
      }
    })

    it('makes them wait as long as its members take something', async () => {
      bench.sendAll(3, 4, 5, 6, 7)
      const drained = new Watched(Promise.all(bench.queues.drains()))
      for (let number = 1; number <= 4; number++) {
        bench.clock.advance(90)
        bench.progress(till, 1, { handled: number > 1 ? [number - 1, 1] : [] })
        await turn()
        expect(drained.isDone).to.equal(false)
      }
      bench.clock.advance(100)
      await drained.done
    })

    it('makes them wait no more once its members have taken nothing for long, until they have caught up', async () => {
      bench.send(3)
      const drained = Promise.all(bench.queues.drains())
      bench.clock.advance(100)
      await drained
      expect(bench.send(4)).to.equal(false)
      bench.progress(till, 1, { capacity: 4 })
      bench.sendAll(5, 6)
      expect(bench.send(7)).to.equal(true)
    })

    it('lets them go on when what waits is lost', async () => {
      bench.send(3)
      const drained = Promise.all(bench.queues.drains())
      bench.queues.loseWaiting()
      await drained
    })
  })

  it('drops events for the budget of all outboxes', () => {
    bench = new WorkQueuesBench({ outboxTotalBytes: 2 * EVENT_BYTES })
    bench.join(till, 1, 1)
    bench.sendAll(1, 2, 3, 4)
    expect([givenTo(till), eventsOf(bench.reported)]).to.deep.equal([[1], [2, 3]])
  })

  it('loses and repeats nothing, and returns all memory, whatever its members do', () => {
    const action = fc.oneof(
      { weight: 5, arbitrary: fc.record({ send: fc.constantFrom(undefined, 'a', 'b') }) },
      { weight: 2, arbitrary: fc.record({ join: fc.nat(2), capacity: fc.integer({ min: 0, max: 4 }) }) },
      { weight: 4, arbitrary: fc.record({ handle: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ unsubscribe: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ close: fc.nat(2), isRead: fc.boolean() }) },
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => {
        const bench = new WorkQueuesBench()
        const names = ['a', 'b', 'c']
        const members = names.map((name) => new FakeMember(bench, name))
        const sent: number[] = []
        const unfinished: unknown[] = []
        for (const action of actions) {
          if ('send' in action) {
            const place = sent.push(sent.length)
            bench.send(place - 1, action.send === undefined ? {} : { addressing: { to: action.send } })
          } else if ('join' in action) members[action.join]?.join(action.capacity)
          else if ('handle' in action) members[action.handle]?.handleOne()
          else if ('unsubscribe' in action) members[action.unsubscribe]?.unsubscribe()
          else unfinished.push(...(members[action.close]?.close(action.isRead) ?? []))
        }
        for (const member of members) unfinished.push(...member.close(true))
        const handled = members.flatMap(({ handled }) => handled)
        bench.queues.loseWaiting()
        const outcomes = [...handled, ...unfinished, ...eventsOf(bench.reported)].map(Number)
        expect(outcomes.sort((one, other) => one - other)).to.deep.equal(sent)
        expect(bench.budget.total).to.equal(0)
        expect(bench.queues.info().every(({ inHand, waiting }) => inHand + waiting === 0)).to.equal(true)
      }),
    )
  })
})

/** A member that handles its events one by one, in an endpoint that starts anew when it has been closed. */
class FakeMember {
  readonly handled: unknown[] = []
  readonly #bench: WorkQueuesBench
  readonly #name: string
  #channel: RecordingChannel
  #interest: ReturnType<WorkQueuesBench['join']> | undefined
  #members = 0
  #capacity = 0
  #settled = 0

  constructor(bench: WorkQueuesBench, name: string) {
    this.#bench = bench
    this.#name = name
    this.#channel = new RecordingChannel(name)
  }

  get #given() {
    return this.#channel.told.flatMap((message) => {
      return message.kind === 'give' && message.member === this.#members ? message : []
    })
  }

  join(capacity: number): void {
    if (this.#interest) return
    this.#members++
    this.#settled = 0
    this.#capacity = capacity
    this.#interest = this.#bench.join(this.#channel, this.#members, capacity)
  }

  handleOne(): void {
    const delivery = this.#given[this.#settled]
    if (!delivery || !this.#interest) return
    this.handled.push(delivery.payload)
    this.#tell({ handled: [++this.#settled, 1] })
  }

  unsubscribe(): void {
    if (!this.#interest) return
    this.#bench.unsubscribe(this.#channel, this.#interest)
    const left = this.#given.length - this.#settled
    if (left > 0) this.#tell({ capacity: 0, returned: [this.#settled + 1, left] })
    this.#interest = undefined
  }

  /** Ends its link. Returns the events that it may have begun. */
  close(isRead: boolean): unknown[] {
    const { unfinished } = this.#bench.close(this.#channel, isRead)
    this.#channel = new RecordingChannel(this.#name)
    this.#interest = undefined
    return unfinished
  }

  #tell(news: object): void {
    this.#bench.progress(this.#channel, this.#members, { capacity: this.#capacity, begun: this.#settled, ...news })
  }
}
