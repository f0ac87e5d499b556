import { eventCounts } from '../../src/events/event-count'
import { QueueReceiver } from '../../src/events/queue-receiver'
import { type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import type { Subscription } from '../../src/events/subscription'
import { Subscriptions } from '../../src/events/subscriptions'
import { TurnBudget } from '../../src/events/turn-budget'
import type { LahjaError } from '../../src/model/errors'
import type { Handler } from '../../src/model/event'
import { NO_HEADERS } from '../../src/model/headers'
import type { Interest } from '../../src/model/interest'
import { MemberInboxes } from '../../src/queues/member-inboxes'
import { SLAB_BYTES } from '../../src/wire/slabs'
import { ManualClock } from './manual-clock'
import { RecordingChannel } from './recording-channel'

/** The subscriptions and queue members of an endpoint, and a channel that events come from. */
export class SubscriptionsBench {
  readonly clock = new ManualClock()
  readonly sender: RecordingChannel
  readonly announced: [change: string, interest: Interest][] = []
  readonly failures: LahjaError[] = []
  /** Events by `subscribe`, each under the label of its subscription. */
  readonly got: string[] = []
  /** Assignments that have been settled. */
  settled = 0
  readonly subscriptions: Subscriptions
  readonly queueReceiver: QueueReceiver

  /** Whether other endpoints have members of the queue. */
  hasOthers = true

  /** @param windowBytes the receive window of the sender's channel */
  constructor(windowBytes?: number) {
    this.sender = new RecordingChannel('shop', { groups: ['web'], limits: windowBytes ? { windowBytes } : {} })
    const report = (error: LahjaError) => void this.failures.push(error)
    this.subscriptions = new Subscriptions({
      announcer: {
        announce: (change, interest) => void this.announced.push([change, interest]),
        acknowledged: async () => [],
      },
      report,
      idle: () => {},
      closeCalls: () => 0,
      turn: new TurnBudget(this.clock, SLAB_BYTES),
      clock: this.clock,
      counts: eventCounts(),
      inboxes: new MemberInboxes({
        clock: this.clock,
        hasOthers: () => this.hasOthers,
        isShared: () => this.hasOthers,
        admits: () => true,
        report,
        idle: () => {},
      }),
    })
    this.queueReceiver = new QueueReceiver({
      clock: this.clock,
      membersOf: (queue, type) => this.subscriptions.membersOf(queue, type),
      hasOthers: () => this.hasOthers,
      report,
      settled: () => this.settled++,
    })
  }

  add(type: string, handler: Handler<unknown>, options: SubscribeOptions = {}, ended?: () => void): Subscription {
    return this.subscriptions.add(subscribeSettings(type, handler, options), ended)
  }

  /** Adds a subscription that logs its events under a label. */
  subscribe(label: string, type: string, options?: SubscribeOptions): Subscription {
    return this.add(type, ({ payload }) => void this.got.push(`${label} ${payload}`), options)
  }

  /** Delivers an event of type `order.placed`. */
  deliver(payload: unknown, from = this.sender): void {
    this.subscriptions.deliver({ type: 'order.placed', payload, origin: 'shop', headers: NO_HEADERS }, from)
  }

  /** Assigns an event of type `order.placed` in the queue `q`. */
  assign(payload: unknown, from = this.sender): void {
    this.queueReceiver.assign({ kind: 'assign', queue: 'q', type: 'order.placed', isFixed: false, payload }, from)
  }
}
