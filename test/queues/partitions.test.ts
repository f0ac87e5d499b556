import { expect } from 'chai'
import fc from 'fast-check'
import { Partitions } from '../../src/queues/partitions'
import type { QueueEvent } from '../../src/queues/queue-event'
import { QueueMember } from '../../src/queues/queue-member'
import { placesOf, queueEvent } from '../support/queue-events'
import { RecordingChannel } from '../support/recording-channel'

/** The events of each key, in order: the first may be given. */
type Model = Map<string, QueueEvent[]>

const KEYS = ['a', 'b', 'c'] as const

describe('partitions', () => {
  it('let one event of each key be given at a time, in order', () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom('enter', 'enter', 'end', 'drop', 'dropOldest')),
    )
    fc.assert(
      fc.property(steps, (all) => {
        const partitions = new Partitions()
        const model: Model = new Map(KEYS.map((key) => [key, []]))
        let places = 0
        for (const [key, step] of all) {
          const events = model.get(key) ?? []
          const [current, next] = events
          if (step === 'enter') {
            const event = queueEvent(++places)
            expect(partitions.enter(key, event)).to.equal(current === undefined)
            events.push(event)
          } else if (step === 'end' && current) {
            partitions.onGiven(key)
            events.shift()
            expect(partitions.leave(key, current)).to.equal(next)
            expect(partitions.leave(key, current)).to.equal(undefined)
          } else if (step === 'drop' && events.length > 1) {
            const [last] = events.splice(-1)
            if (last) expect(partitions.leave(key, last)).to.equal(undefined)
          } else if (step === 'dropOldest') {
            const parked = [...model].flatMap(([key, [, ...behind]]) => behind.map((event) => ({ key, event })))
            const [oldest] = parked.sort((one, other) => one.event.place - other.event.place)
            expect(partitions.oldest).to.equal(oldest?.event)
            if (!oldest) continue
            partitions.leave(oldest.key, oldest.event)
            model.set(
              oldest.key,
              (model.get(oldest.key) ?? []).filter((event) => event !== oldest.event),
            )
          }
        }
        const parked = [...model.values()].flatMap(([, ...behind]) => behind)
        for (const event of parked) expect(partitions.isParked(event)).to.equal(true)
        expect(placesOf(partitions.clear())).to.deep.equal(placesOf(parked).sort((one, other) => one - other))
        expect(partitions.oldest).to.equal(undefined)
      }),
    )
  })

  it('are blocked while an event waits for one that a member has', () => {
    const partitions = new Partitions()
    const [first, second] = [queueEvent(1), queueEvent(2)]
    partitions.enter('a', first)
    partitions.enter('a', second)
    expect(partitions.isBlocked).to.equal(false)
    partitions.onGiven('a')
    partitions.onGiven('a')
    expect(partitions.isBlocked).to.equal(true)
    partitions.onReturned('a')
    expect(partitions.isBlocked).to.equal(false)
    partitions.onGiven('a')
    partitions.leave('a', first)
    expect(partitions.isBlocked).to.equal(false)
  })

  it('have the same owner for all senders, spread keys evenly, and move those of a member that goes alone', () => {
    const members = ['one', 'two', 'three', 'four'].map((name) => {
      return new QueueMember('q', new RecordingChannel(name), 1, 10, 1024)
    })
    const keys = Array.from({ length: 4000 }, (_, index) => `customer ${index}`)
    const [here, there] = [new Partitions(), new Partitions()]
    const owners = keys.map((key) => here.ownerOf(key, members))
    expect(keys.map((key) => there.ownerOf(key, [...members].reverse()))).to.deep.equal(owners)
    for (const member of members) {
      const share = owners.filter((owner) => owner === member).length
      expect(share).to.be.within(850, 1150)
    }
    const left = members.slice(1)
    members[0]?.leave()
    here.onMembersChanged()
    const others = keys.map((key) => here.ownerOf(key, left))
    for (const [index, owner] of owners.entries()) if (owner !== members[0]) expect(others[index]).to.equal(owner)
    // Not even those that would be theirs by the hash go to members that join.
    expect(keys.map((key) => here.ownerOf(key, members))).to.deep.equal(others)
  })

  it('remember the members of at most 10,000 keys without events', () => {
    const partitions = new Partitions()
    const [old, other] = ['old', 'other'].map((name) => new QueueMember('q', new RecordingChannel(name), 1, 10, 1024))
    if (!old || !other) throw new TypeError('expected two members')
    const pass = (key: string) => {
      const event = queueEvent(1)
      partitions.enter(key, event)
      partitions.leave(key, event)
    }
    for (let index = 0; index <= 10_000; index++) {
      partitions.ownerOf(`${index}`, [old])
      pass(`${index}`)
    }
    const moved = ['0', '1', '2', '10000'].filter((key) => partitions.ownerOf(key, [old, other]) === other)
    expect(moved.every((key) => key === '0')).to.equal(true)
  })

  it('keep an event once that waits behind another one again', () => {
    const partitions = new Partitions()
    const [held, first, second, third] = [1, 2, 3, 4].map((place) => queueEvent(place, { partition: 'a' }))
    if (!held || !first || !second || !third) throw new TypeError('expected four events')
    for (const event of [first, second, third]) partitions.enter('a', event)
    expect(partitions.leave('a', first)).to.equal(second)
    expect(partitions.laterThan(held)).to.equal(second)
    partitions.park('a', second)
    expect(partitions.enter('a', held)).to.equal(true)
    expect(placesOf(partitions.clear())).to.deep.equal([3, 4])
  })

  it('let many events of one key follow each other in linear time', () => {
    const partitions = new Partitions()
    const events = Array.from({ length: 300_000 }, (_, place) => queueEvent(place))
    for (const event of events) partitions.enter('a', event)
    for (const event of events) partitions.leave('a', event)
    expect(partitions.oldest).to.equal(undefined)
    for (const event of events) partitions.enter(`${event.place % 2}`, event)
    for (let event = partitions.oldest; event; event = partitions.oldest) partitions.leave(`${event.place % 2}`, event)
    expect(partitions.isParked(queueEvent(1))).to.equal(false)
  })
})
