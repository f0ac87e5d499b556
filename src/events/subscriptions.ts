import type { Channel } from '../channel/channel'
import type { LahjaError } from '../model/errors'
import type { Event } from '../model/event'
import { isInterestedIn, isMember } from '../model/interest'
import { PatternTree } from '../routing/pattern-tree'
import { Consumer } from './consumer'
import type { SubscribeSettings } from './subscribe-options'
import { type Announcer, Subscription } from './subscription'
import type { TurnBudget } from './turn-budget'

export interface SubscriptionsContext {
  readonly announcer: Announcer
  readonly report: (error: LahjaError) => void
  /** Called when no event waits for a handler any more. */
  readonly idle: () => void
  readonly turn: TurnBudget
}

/** The consumers of one event type. */
interface Receivers {
  readonly all: readonly Consumer[]
  readonly queues: ReadonlyMap<string, readonly Consumer[]>
}

const NONE: readonly never[] = []

/** The subscriptions of one endpoint. */
export class Subscriptions {
  readonly #context: SubscriptionsContext
  readonly #receivers = new PatternTree<Consumer, Receivers>(receiversOf)
  readonly #open = new Map<Subscription, Consumer>()

  constructor(context: SubscriptionsContext) {
    this.#context = context
  }

  get size(): number {
    return this.#open.size
  }

  /** Events of this sender that wait for handlers. */
  waitingFrom(origin: string): number {
    let count = 0
    for (const consumer of this.#open.values()) count += consumer.waitingFrom(origin)
    return count
  }

  /** @param ended called once, when the subscription has ended for any reason */
  add({ interest, consumption, schema, signal }: SubscribeSettings, ended?: () => void): Subscription {
    const { announcer, report, idle, turn } = this.#context
    const consumer = new Consumer({ interest, consumption, schema, report, idle, turn })
    this.#receivers.add(interest.type, consumer)
    const subscription: Subscription = new Subscription({
      interest,
      announcer,
      signal,
      pending: () => consumer.load,
      ended: () => {
        this.#open.delete(subscription)
        this.#receivers.remove(interest.type, consumer)
        ended?.()
        consumer.close()
      },
    })
    this.#open.set(subscription, consumer)
    return subscription.announce()
  }

  /** Delivers an event to all that want it, except members of queues. */
  deliver(event: Event, { identity, receiveWindow }: Pick<Channel, 'identity' | 'receiveWindow'>): void {
    for (const consumer of this.#receivers.select(event.type).all) {
      if (isInterestedIn(consumer.interest, identity)) consumer.deliver(event, receiveWindow)
    }
  }

  /** The members of a queue at this endpoint that are subscribed to this type. */
  membersOf(queue: string, type: string): readonly Consumer[] {
    return this.#receivers.select(type).queues.get(queue) ?? NONE
  }

  /** Ends all subscriptions with a queue. Returns whether there were any. */
  leaveQueues(): boolean {
    const members = [...this.#open].filter(([, { interest }]) => isMember(interest))
    for (const [subscription] of members) subscription.unsubscribe()
    return members.length > 0
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of [...this.#open.keys()]) subscription.unsubscribe()
  }
}

function receiversOf(consumers: readonly Consumer[]): Receivers {
  const queues = new Map<string, Consumer[]>()
  for (const consumer of consumers) {
    const { queue } = consumer.interest
    if (queue !== undefined) queues.set(queue, [...(queues.get(queue) ?? []), consumer])
  }
  return { all: consumers.filter(({ interest }) => interest.queue === undefined), queues }
}
