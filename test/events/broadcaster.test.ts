import { expect } from 'chai'
import type { Channel } from '../../src/channel/channel'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Broadcaster } from '../../src/events/broadcaster'
import { eventCounts } from '../../src/events/event-count'
import { QueueSender } from '../../src/events/queue-sender'
import { TurnBudget } from '../../src/events/turn-budget'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import type { OverflowPolicy } from '../../src/model/overflow'
import { Waits } from '../../src/platform/waits'
import { WorkQueues } from '../../src/queues/work-queues'
import { Routes } from '../../src/routing/routes'
import type { Frame } from '../../src/wire/frame'
import { SLAB_BYTES, Slabs } from '../../src/wire/slabs'
import { ManualClock } from '../support/manual-clock'
import { RecordingChannel } from '../support/recording-channel'

/** A channel that calls a function while an event is sent to it, as a listener of the endpoint may be called. */
class CallingChannel extends RecordingChannel {
  onSend = () => {}

  override send(frame: Frame, policy: OverflowPolicy): boolean {
    const isSlow = super.send(frame, policy)
    this.onSend()
    return isSlow
  }
}

describe('Broadcaster', () => {
  let broadcaster: Broadcaster
  let slow: CallingChannel
  let other: CallingChannel

  beforeEach(() => {
    const clock = new ManualClock()
    const routes = new Routes<Channel>({ name: 'shop', groups: [] })
    const report = (error: Error) => expect.fail(error.message)
    const queues = new QueueSender({ routes, state: () => 'open', report, origin: 'shop', keep: () => false })
    const limits = DEFAULT_LIMITS
    const workQueues = new WorkQueues({
      clock,
      limits,
      budget: new MemoryBudget(limits.outboxTotalBytes),
      routes,
      state: () => 'open',
      report,
      changed: () => {},
      unfinished: () => expect.fail('no event fails'),
      origin: 'shop',
      broadcast: () => expect.fail('no event is given again'),
      assign: () => expect.fail('no queue has such members'),
    })
    broadcaster = new Broadcaster({
      frameLimit: 1024 * 1024,
      overflow: 'wait',
      requireSubscriber: false,
      routes,
      queues,
      workQueues,
      slabs: new Slabs(),
      waits: new Waits(clock),
      turn: new TurnBudget(clock, SLAB_BYTES),
      report,
      counts: eventCounts(),
    })
    slow = new CallingChannel('slow')
    other = new CallingChannel('other', { limits: { highWaterMark: 1024 * 1024 } })
    for (const channel of [slow, other]) routes.add(channel, { type: 'tick' })
    routes.add(other, { type: 'tock' })
  })

  it('tells that an outbox is over its mark, and tells it of no later event that goes elsewhere', () => {
    expect(broadcaster.broadcastNowait('tick', 1)).to.equal(false)
    expect(broadcaster.broadcastNowait('tock', 1)).to.equal(true)
    expect(broadcaster.broadcastNowait('unknown', 1)).to.equal(true)
  })

  const places = { 'the slow receiver': () => slow, 'a receiver behind the slow one': () => other }
  for (const [where, at] of Object.entries(places)) {
    for (const type of ['tock', 'unknown']) {
      it(`still tells of the slow receiver if ${type} is broadcast while the event is sent to ${where}`, () => {
        const nested: boolean[] = []
        at().onSend = () => {
          at().onSend = () => {}
          nested.push(broadcaster.broadcastNowait(type, 2))
        }
        expect(broadcaster.broadcastNowait('tick', 1)).to.equal(false)
        expect(nested).to.deep.equal([true])
      })
    }
  }
})
