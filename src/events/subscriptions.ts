import type { Channel } from '../channel/channel'
import type { Receipt } from '../channel/receive-window'
import type { LahjaError } from '../model/errors'
import type { Event } from '../model/event'
import { isInterestedIn, isQueued } from '../model/interest'
import type { Clock } from '../platform/clock'
import type { MemberInboxes } from '../queues/member-inboxes'
import { PatternTree } from '../routing/pattern-tree'
import { Consumer, type SubscriptionStats } from './consumer'
import type { EventCounts } from './event-count'
import type { SubscribeSettings } from './subscribe-options'
import { type Announcer, Subscription } from './subscription'
import type { TurnBudget } from './turn-budget'

export interface SubscriptionsContext {
  readonly announcer: Announcer
  readonly report: (error: LahjaError) => void
  /** Called when a consumer has handled all that has arrived. */
  readonly idle: () => void
  readonly closeCalls: () => number
  readonly turn: TurnBudget
  readonly inboxes: MemberInboxes
  readonly clock: Pick<Clock, 'now'>
  readonly counts: EventCounts
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
  /** Each open one, and how to look at it. */
  readonly #open = new Map<Subscription, () => SubscriptionStats>()
  /** Those of open subscriptions, and those of ended ones that still run. */
  readonly #consumers = new Set<Consumer>()
  /** The one that was not idle at the last look, and those behind it: an iterator that goes on where it was left. */
  #busy: Consumer | undefined
  #unchecked: Iterable<Consumer> = NONE
  /** Those of ended streams with unread events. They belong to their readers: streams that nobody reads must not leak. */
  readonly #unread = new Set<WeakRef<Consumer>>()
  readonly #collected = new FinalizationRegistry<WeakRef<Consumer>>((ref) => this.#unread.delete(ref))

  constructor(context: SubscriptionsContext) {
    this.#context = context
  }

  get size(): number {
    return this.#open.size
  }

  /** Of those that are open, in the order in which they were made. */
  get stats(): readonly SubscriptionStats[] {
    return [...this.#open.values()].map((statsOf) => statsOf())
  }

  /** Whether all events that have arrived are handled. */
  get isIdle(): boolean {
    for (const ref of this.#unread) if ((ref.deref()?.load ?? 0) > 0) return false
    if (this.#busy && this.#busy.load > 0) return false
    // From where the last look has found one that was not, and then all: many that end one by one cost linear time.
    this.#busy = busyOf(this.#unchecked)
    if (this.#busy) return false
    this.#unchecked = this.#consumers.values()
    this.#busy = busyOf(this.#unchecked)
    if (this.#busy) return false
    // The iterator would keep those that end alive.
    this.#unchecked = NONE
    return true
  }

  /** Numbers of events that have arrived and are not handled, by type. */
  unhandled(): Map<string, number> {
    const types = new Map<Receipt, string>()
    for (const consumer of this.#all()) {
      for (const { receipt, type } of consumer.unhandled()) types.set(receipt, type)
    }
    const counts = new Map<string, number>()
    for (const type of types.values()) counts.set(type, (counts.get(type) ?? 0) + 1)
    return counts
  }

  /** @param ended called once, when the subscription has ended for any reason */
  add(settings: SubscribeSettings, ended?: () => void): Subscription {
    const { consumption, schema, signal } = settings
    const { announcer, report, idle, closeCalls, turn, inboxes, clock, counts } = this.#context
    const interest = inboxes.joined(settings.interest)
    let unread: WeakRef<Consumer> | undefined
    const consumer: Consumer = new Consumer({
      interest,
      consumption,
      schema,
      report,
      turn,
      clock,
      counts,
      closeCalls,
      idle: () => {
        if (!consumer.isOpen) this.#consumers.delete(consumer)
        if (unread) this.#unread.delete(unread)
        idle()
      },
    })
    this.#consumers.add(consumer)
    const { concurrency = 1, isAdaptive = false } = consumption.kind === 'handler' ? consumption : {}
    const inbox = inboxes.open(interest, {
      concurrency,
      isAdaptive,
      handle: (event, receipt) => consumer.take(event, receipt),
      takeBack: (isWanted) => consumer.returnWaiting(isWanted),
    })
    this.#receivers.add(interest.type, consumer)
    const subscription: Subscription = new Subscription({
      interest,
      announcer,
      signal,
      pending: () => consumer.load + (inbox?.waiting ?? 0),
      ended: () => {
        this.#open.delete(subscription)
        this.#receivers.remove(interest.type, consumer)
        ended?.()
        if (interest.member !== undefined) inboxes.close(interest.member)
        consumer.close()
        if (consumption.kind !== 'buffer') return
        this.#consumers.delete(consumer)
        if (consumer.load > 0) unread = this.#keepUnread(consumer)
      },
    })
    this.#open.set(subscription, () => {
      const stats = consumer.stats
      return { ...stats, waiting: stats.waiting + (inbox?.waiting ?? 0) }
    })
    return subscription.announce()
  }

  #keepUnread(consumer: Consumer): WeakRef<Consumer> {
    const ref = new WeakRef(consumer)
    this.#unread.add(ref)
    this.#collected.register(consumer, ref)
    return ref
  }

  *#all(): Generator<Consumer> {
    yield* this.#consumers
    for (const ref of this.#unread) {
      const consumer = ref.deref()
      if (consumer) yield consumer
    }
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

  /** Members of queues that are assigned events give back those that wait. They may be given them again. */
  returnAssigned(): void {
    for (const consumer of this.#consumers) {
      const { interest } = consumer
      if (isQueued(interest) && interest.member === undefined) consumer.returnWaiting()
    }
  }

  /** All members of queues give back the events that wait for them. */
  returnWaiting(): void {
    for (const consumer of this.#consumers) if (isQueued(consumer.interest)) consumer.returnWaiting()
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of [...this.#open.keys()]) subscription.unsubscribe()
  }
}

function busyOf(consumers: Iterable<Consumer>): Consumer | undefined {
  for (const consumer of consumers) if (consumer.load > 0) return consumer
  return undefined
}

function receiversOf(consumers: readonly Consumer[]): Receivers {
  const queues = new Map<string, Consumer[]>()
  for (const consumer of consumers) {
    const { queue } = consumer.interest
    if (queue !== undefined) queues.set(queue, [...(queues.get(queue) ?? []), consumer])
  }
  return { all: consumers.filter(({ interest }) => interest.queue === undefined), queues }
}
