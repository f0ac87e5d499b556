import { expect } from 'chai'
import fc from 'fast-check'
import { Lane } from '../../src/queues/lane'
import type { QueueEvent } from '../../src/queues/queue-event'
import { placesOf, queueEvent } from '../support/queue-events'

function taken(lane: Lane): QueueEvent[] {
  const events: QueueEvent[] = []
  for (let event = lane.shift(); event; event = lane.shift()) events.push(event)
  return events
}

describe('Lane', () => {
  it('has no first event while it is empty', () => {
    const lane = new Lane('', { pullMembers: [], pushMembers: [] })
    expect([lane.first, lane.shift(), lane.length]).to.deep.equal([undefined, undefined, 0])
    lane.add(queueEvent(1))
    lane.shift()
    expect([lane.first, lane.shift(), lane.length]).to.deep.equal([undefined, undefined, 0])
  })

  it('keeps its events in the order of their places, whatever is added, taken and removed', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ add: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ addAll: fc.uniqueArray(fc.nat(60), { maxLength: 20 }) }) },
      { weight: 2, arbitrary: fc.constant('shift' as const) },
      { weight: 1, arbitrary: fc.record({ remove: fc.nat(60) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const events = Array.from({ length: 61 }, (_, place) => queueEvent(place))
        const lane = new Lane('', { pullMembers: [], pushMembers: [] })
        let model: QueueEvent[] = []
        for (const step of steps) {
          if (step === 'shift') expect(lane.shift()).to.equal(model.shift())
          else if ('addAll' in step) {
            const added = step.addAll.flatMap((place) => events[place] ?? []).filter((event) => !model.includes(event))
            lane.addAll(added)
            model = [...model, ...added].sort((one, other) => one.place - other.place)
          } else if ('add' in step) {
            const event = events[step.add]
            if (!event || model.includes(event)) continue
            lane.add(event)
            model = [...model, event].sort((one, other) => one.place - other.place)
          } else {
            const event = events[step.remove]
            if (!event) continue
            expect(lane.remove(event)).to.equal(model.includes(event))
            model = model.filter((each) => each !== event)
          }
          expect(lane.first).to.equal(model[0])
          expect(lane.length).to.equal(model.length)
        }
        expect(placesOf(taken(lane))).to.deep.equal(placesOf(model))
      }),
    )
  })

  it('keeps the order of many events, of which the first come back when most have been taken', () => {
    const lane = new Lane('', { pullMembers: [], pushMembers: [] })
    const events = Array.from({ length: 5000 }, (_, place) => queueEvent(place))
    for (const event of events) lane.add(event)
    for (let count = 0; count < 4000; count++) lane.shift()
    for (const event of events.slice(1000, 4000)) lane.add(event)
    expect(placesOf(taken(lane))).to.deep.equal(placesOf(events.slice(1000)))
  })

  it('looks at each event a few times at most when many come back', () => {
    let looks = 0
    const counted = (place: number) =>
      new Proxy(queueEvent(place), {
        get: (event, name) => {
          if (name === 'place') looks++
          return Reflect.get(event, name)
        },
      })
    const events = Array.from({ length: 2000 }, (_, place) => counted(place))
    const lane = new Lane('', { pullMembers: [], pushMembers: [] })
    for (const event of events) lane.add(event)
    const taken = Array.from({ length: 1000 }, () => lane.shift()).flatMap((event) => event ?? [])
    looks = 0
    lane.addAll(taken)
    expect(looks).to.be.below(10 * events.length)
    expect(lane.length).to.equal(events.length)
  })
})
