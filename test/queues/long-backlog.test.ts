import { expect } from 'chai'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { Lane } from '../../src/queues/lane'
import { QueueEvent } from '../../src/queues/queue-event'
import { WorkQueue } from '../../src/queues/work-queue'
import { ManualClock } from '../support/manual-clock'
import { numbers } from '../support/members'

const NOBODY = { pullMembers: [], pushMembers: [] }
const WAIT = { kind: 'wait' } as const

function eventAt(place: number, type = 'job', bytes = 0): QueueEvent {
  return new QueueEvent('q', type, undefined, { kind: 'packed', bytes: Buffer.alloc(bytes), hasBigints: false }, place)
}

describe('The backlog of a queue', () => {
  it('takes many events back in linear time, and in their places', () => {
    const lane = new Lane('', NOBODY)
    let looks = 0
    const events = numbers(60_000).map((place) => {
      const event = eventAt(place)
      return Object.defineProperty(event, 'place', {
        get: () => {
          looks++
          return place
        },
      })
    })
    for (const event of events.slice(30_000)) lane.add(event)
    looks = 0
    lane.addAll(events.slice(0, 30_000))
    expect(looks).to.be.below(1_000_000)
    expect([...lane]).to.deep.equal(events)
  })

  it('looks up once who may have an event, however many types wait', () => {
    let looks = 0
    const budget = new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes)
    const routes = {
      queue: () => {
        looks++
        return undefined
      },
    }
    const queue = new WorkQueue('q', {
      clock: new ManualClock(),
      limits: DEFAULT_LIMITS,
      budget,
      routes,
      isLeaving: () => false,
      memberOf: () => undefined,
      assign: () => expect.fail('there is no member'),
      dropped: () => expect.fail('there is room'),
    })
    for (const place of numbers(2000)) queue.offer(eventAt(place, `job.${place}`, 2100 + place), WAIT)
    expect(queue.waiting).to.equal(2000)
    expect(looks).to.be.below(4001)
  })

  it('lets senders go on once events that they waited behind have been dropped', async () => {
    const limits = { ...DEFAULT_LIMITS, highWaterMark: 1000 }
    const queue = new WorkQueue('q', {
      clock: new ManualClock(),
      limits,
      budget: new MemoryBudget(limits.outboxTotalBytes),
      routes: { queue: () => undefined },
      isLeaving: () => false,
      memberOf: () => undefined,
      assign: () => expect.fail('there is no member'),
      dropped: () => {},
    })
    for (const place of numbers(3)) queue.offer(eventAt(place, 'job', 500), WAIT)
    const drained = queue.drained()
    while (queue.dropOldest()) {}
    await drained
    expect(queue.needsDrain).to.equal(false)
  })
})
