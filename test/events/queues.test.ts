import { expect } from 'chai'
import { Queues } from '../../src/events/queues'
import { encodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { heapUsed } from '../support/heap-used'
import { RecordingChannel } from '../support/recording-channel'

const frame = () =>
  encodeMessage({ kind: 'assign', queue: 'q', type: 'a', isFixed: false, payload: Buffer.alloc(1000) })

const WAIT = { kind: 'wait' } as const

const SHARE = { type: 'job', queue: 'q' }

describe('Queues', () => {
  let queues: Queues
  let till: RecordingChannel
  let desk: RecordingChannel

  beforeEach(() => {
    queues = new Queues()
    till = new RecordingChannel('till')
    desk = new RecordingChannel('desk')
  })

  /** Gives so many events to members of these weights; returns how many each has got. */
  function share(count: number, weights: ReadonlyMap<RecordingChannel, number>): number[] {
    const members = [...weights].map(([destination, weight]) => ({ destination, weight }))
    for (let number = 0; number < count; number++) {
      const channel = queues.choose('q', members)
      if (channel) queues.give(channel, SHARE, frame(), WAIT)
    }
    return [...weights.keys()].map((channel) => queues.inHand(channel))
  }

  it('choose nobody where there is nobody', () => expect(queues.choose('q', [])).to.equal(undefined))

  it('give as much to each where nothing is handled, by the members that each has', () => {
    expect(
      share(
        12,
        new Map([
          [till, 1],
          [desk, 1],
        ]),
      ),
    ).to.deep.equal([6, 6])
    expect(
      share(
        24,
        new Map([
          [till, 3],
          [desk, 1],
        ]),
      ),
    ).to.deep.equal([27, 9])
  })

  it('send what they give, and count it until it is settled', () => {
    queues.give(till, SHARE, frame(), WAIT)
    queues.give(till, SHARE, frame(), WAIT)
    expect(till.outbox.queuedEvents).to.equal(2)
    expect(queues.inHand(till)).to.equal(2)
    queues.settled(till, 1)
    expect(queues.inHand(till)).to.equal(1)
    expect(queues.inHand(desk)).to.equal(0)
  })

  it('know what could be in hand, and what was never given', () => {
    queues.give(till, SHARE, frame(), WAIT)
    expect(queues.hasGiven(till, SHARE)).to.equal(true)
    expect(queues.hasGiven(till, { ...SHARE, type: 'other' })).to.equal(false)
    expect(queues.hasGiven(till, { ...SHARE, queue: 'other' })).to.equal(false)
    expect(queues.hasGiven(desk, SHARE)).to.equal(false)
    queues.settled(till, 1)
    expect(queues.hasGiven(till, SHARE)).to.equal(false)
  })

  for (const [what, left] of [
    ['nothing', 0],
    ['something', 1],
  ] as const) {
    it(`keep no more of types without end than they need, where ${what} stays in hand (G7)`, () => {
      const small = encodeMessage({ kind: 'assign', queue: 'q', type: 'a', isFixed: false, payload: 1 })
      for (let count = 0; count < left; count++) queues.give(till, SHARE, small, WAIT)
      const before = heapUsed()
      for (let number = 0; number < 100_000; number++) {
        queues.give(till, { ...SHARE, type: `job.${number}.${'x'.repeat(50)}` }, small, WAIT)
        queues.settled(till, 1)
        till.outbox.removeAssignments(() => true)
      }
      expect(heapUsed() - before).to.be.below(4 * 1024 * 1024)
      const another = { ...SHARE, type: 'another' }
      queues.give(till, another, small, WAIT)
      expect(queues.hasGiven(till, another)).to.equal(true)
    })
  }

  it('choose the one with the least in hand', () => {
    const members = [till, desk].map((channel) => ({ destination: channel, weight: 1 }))
    queues.give(till, SHARE, frame(), WAIT)
    queues.give(till, SHARE, frame(), WAIT)
    queues.give(desk, SHARE, frame(), WAIT)
    for (let time = 0; time < 3; time++) expect(queues.choose('q', members)).to.equal(desk)
    queues.settled(till, 2)
    for (let time = 0; time < 3; time++) expect(queues.choose('q', members)).to.equal(till)
  })

  it('choose in turn where all have as little', () => {
    const members = [till, desk].map((channel) => ({ destination: channel, weight: 1 }))
    const chosen = [queues.choose('q', members), queues.choose('q', members)]
    expect(chosen).to.have.members([till, desk])
  })

  it('choose one that lags only if all do', () => {
    const members = [till, desk].map((channel) => ({ destination: channel, weight: 1 }))
    queues.give(till, SHARE, frame(), WAIT)
    till.lag()
    expect(till.outbox.isLagging).to.equal(true)
    for (let number = 0; number < 5; number++) queues.give(desk, SHARE, frame(), WAIT)
    for (let time = 0; time < 3; time++) expect(queues.choose('q', members)).to.equal(desk)
    desk.lag()
    expect(queues.choose('q', members)).to.be.oneOf([till, desk])
  })

  it('count less than nothing as nothing: who reports more than it was given gets no more than others', () => {
    const members = [till, desk].map((channel) => ({ destination: channel, weight: 1 }))
    queues.settled(till, 1000)
    expect(queues.inHand(till)).to.equal(0)
    queues.give(till, SHARE, frame(), WAIT)
    for (let time = 0; time < 3; time++) expect(queues.choose('q', members)).to.equal(desk)
  })

  it('tell what a channel that is closed had in hand, and forget it', () => {
    queues.give(till, SHARE, frame(), WAIT)
    queues.give(till, SHARE, frame(), WAIT)
    queues.settled(till, 1)
    expect(queues.ended(till)).to.equal(1)
    expect(queues.ended(till)).to.equal(0)
    expect(queues.inHand(till)).to.equal(0)
  })

  it('count as in hand nothing that was dropped on the way, but only what was theirs', () => {
    const small = new RecordingChannel('small', { limits: { outboxBytes: 5000 } })
    const event = new EventEncoder(5000)
    for (let number = 0; number < 3; number++) small.send(event.event('a', Buffer.alloc(1000)), WAIT)
    for (let number = 0; number < 10; number++) queues.give(small, SHARE, frame(), WAIT)
    expect(small.outbox.queuedEvents).to.equal(4)
    expect(queues.inHand(small)).to.equal(4)
    queues.settled(small, 3)
    expect(queues.inHand(small)).to.equal(1)
    expect(queues.ended(small)).to.equal(1)
  })
})
