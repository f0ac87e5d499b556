import { expect } from 'chai'
import type { Channel } from '../../src/channel/channel'
import { QueueSender } from '../../src/events/queue-sender'
import type { LahjaError } from '../../src/model/errors'
import { Routes } from '../../src/routing/routes'
import { encodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import type { Frame } from '../../src/wire/frame'
import { heapUsed } from '../support/garbage'
import { RecordingChannel } from '../support/recording-channel'

const frame = () =>
  encodeMessage({ kind: 'assign', queue: 'q', type: 'a', isFixed: false, payload: Buffer.alloc(1000) })

const WAIT = { kind: 'wait' } as const

const JOB = { type: 'job', queue: 'q' }

describe('QueueSender', () => {
  let queues: QueueSender
  let till: RecordingChannel
  let desk: RecordingChannel

  let failures: LahjaError[]

  beforeEach(() => {
    failures = []
    queues = new QueueSender({
      origin: 'shop',
      routes: new Routes<Channel>({ name: 'shop', groups: [] }),
      state: () => 'open',
      report: (error) => void failures.push(error),
      keep: () => false,
    })
    till = new RecordingChannel('till')
    desk = new RecordingChannel('desk')
  })

  const give = (channel: Channel, job: typeof JOB, frame: Frame) => queues.give({ channel, ...job, frame }, WAIT)

  /** Returns an event without another eligible member. Gives the code of the error that is reported. */
  function returned(channel: Channel, job: typeof JOB): string | undefined {
    queues.onReturn(channel, { kind: 'return', ...job, isFixed: true, payload: 1 })
    return failures.pop()?.code
  }

  const membersOf = (ofTill = 1, ofDesk = 1) => [
    { destination: till, weight: ofTill },
    { destination: desk, weight: ofDesk },
  ]

  /** Gives this many events to members of these weights. Returns the count of each member. */
  function share(count: number, ofTill: number, ofDesk: number): number[] {
    for (let number = 0; number < count; number++) {
      const channel = queues.choose('q', membersOf(ofTill, ofDesk))
      if (channel) give(channel, JOB, frame())
    }
    return [till, desk].map((channel) => queues.inFlight(channel))
  }

  it('chooses no member of an empty queue', () => expect(queues.choose('q', [])).to.equal(undefined))

  it('shares events by weight while none is settled', () => {
    expect(share(12, 1, 1)).to.deep.equal([6, 6])
    expect(share(24, 3, 1)).to.deep.equal([27, 9])
  })

  it('sends events, and counts them as in flight until they are settled', () => {
    give(till, JOB, frame())
    give(till, JOB, frame())
    expect(till.outbox.queuedEvents).to.equal(2)
    expect(queues.inFlight(till)).to.equal(2)
    queues.settle(till, 1)
    expect(queues.inFlight(till)).to.equal(1)
    expect(queues.inFlight(desk)).to.equal(0)
  })

  it('accepts only returned events that were given and not settled', () => {
    give(till, JOB, frame())
    for (const job of [
      { ...JOB, type: 'other' },
      { ...JOB, queue: 'other' },
    ]) {
      expect(returned(till, job)).to.equal('LAHJA_BOUNDARY_CROSSED')
    }
    expect(returned(desk, JOB)).to.equal('LAHJA_BOUNDARY_CROSSED')
    expect(returned(till, JOB)).to.equal('LAHJA_NO_SUBSCRIBERS')
    expect(queues.inFlight(till)).to.equal(0)
    expect(returned(till, JOB)).to.equal('LAHJA_BOUNDARY_CROSSED')
  })

  for (const [what, left] of Object.entries({ nothing: 0, something: 1 })) {
    it(`remembers a bounded number of types while ${what} stays in flight (G7)`, () => {
      const small = encodeMessage({ kind: 'assign', queue: 'q', type: 'a', isFixed: false, payload: 1 })
      for (let count = 0; count < left; count++) give(till, JOB, small)
      const before = heapUsed()
      for (let number = 0; number < 100_000; number++) {
        give(till, { ...JOB, type: `job.${number}.${'x'.repeat(50)}` }, small)
        queues.settle(till, 1)
        till.outbox.removeAssignments(() => true)
      }
      expect(heapUsed() - before).to.be.below(4 * 1024 * 1024)
      const another = { ...JOB, type: 'another' }
      give(till, another, small)
      expect(returned(till, another)).to.equal('LAHJA_NO_SUBSCRIBERS')
    })
  }

  it('chooses the member with the fewest events in flight', () => {
    give(till, JOB, frame())
    give(till, JOB, frame())
    give(desk, JOB, frame())
    for (let time = 0; time < 3; time++) expect(queues.choose('q', membersOf())).to.equal(desk)
    queues.settle(till, 2)
    for (let time = 0; time < 3; time++) expect(queues.choose('q', membersOf())).to.equal(till)
  })

  it('chooses round-robin between members with equally many in flight', () => {
    const chosen = [queues.choose('q', membersOf()), queues.choose('q', membersOf())]
    expect(chosen).to.have.members([till, desk])
  })

  it('chooses a lagging member only if all members lag', () => {
    give(till, JOB, frame())
    till.lag()
    expect(till.outbox.isLagging).to.equal(true)
    for (let number = 0; number < 5; number++) give(desk, JOB, frame())
    for (let time = 0; time < 3; time++) expect(queues.choose('q', membersOf())).to.equal(desk)
    desk.lag()
    expect(queues.choose('q', membersOf())).to.be.oneOf([till, desk])
  })

  it('gives no advantage to a member that settles more than it was given', () => {
    queues.settle(till, 1000)
    expect(queues.inFlight(till)).to.equal(0)
    give(till, JOB, frame())
    for (let time = 0; time < 3; time++) expect(queues.choose('q', membersOf())).to.equal(desk)
  })

  it('counts the unfinished events of a closed channel, except unsent ones, and forgets it', () => {
    for (let number = 0; number < 3; number++) give(till, JOB, frame())
    queues.settle(till, 1)
    till.outbox.removeAssignments(() => true)
    expect(queues.onClosed(till)).to.deep.equal({ unsent: 0, redelivered: 0, unfinished: 2 })
    expect(queues.onClosed(till)).to.deep.equal({ unsent: 0, redelivered: 0, unfinished: 0 })
    expect(queues.inFlight(till)).to.equal(0)
  })

  it('does not count an event dropped from the outbox as in flight', () => {
    const small = new RecordingChannel('small', { limits: { outboxBytes: 5000 } })
    const event = new EventEncoder(5000)
    for (let number = 0; number < 3; number++) small.send(event.event('a', Buffer.alloc(1000)), WAIT)
    for (let number = 0; number < 10; number++) give(small, JOB, frame())
    expect(small.outbox.queuedEvents).to.equal(4)
    expect(queues.inFlight(small)).to.equal(4)
    queues.settle(small, 3)
    expect(queues.inFlight(small)).to.equal(1)
    small.outbox.removeAssignments(() => true)
    expect(queues.onClosed(small).unfinished).to.equal(1)
  })

  it('counts what a member gets after it has settled more than it was given, also if some of that was dropped', () => {
    const small = new RecordingChannel('small', { limits: { outboxBytes: 5000 } })
    for (let number = 0; number < 10; number++) give(small, JOB, frame())
    expect(small.outbox.droppedAssignments).to.be.greaterThan(0)
    queues.settle(small, 1000)
    expect(queues.inFlight(small)).to.equal(0)
    small.outbox.removeAssignments(() => true)
    give(small, JOB, frame())
    expect(queues.inFlight(small)).to.equal(1)
    expect(returned(small, JOB)).to.equal('LAHJA_NO_SUBSCRIBERS')
  })
})
