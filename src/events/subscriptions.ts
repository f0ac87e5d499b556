import type { Channel } from '../channel/channel'
import type { Receipt } from '../channel/receive-window'
import { asError, HandlerError, LahjaError, NoSubscribers } from '../model/errors'
import type { Event } from '../model/event'
import { type Interest, isInterestedIn, isMember } from '../model/interest'
import { Balancers } from '../routing/balancer'
import { PatternTree } from '../routing/pattern-tree'
import type { Assignment } from '../wire/message'
import type { SubscribeSettings } from './subscribe-options'
import { Subscription } from './subscription'

export interface SubscriptionsContext {
  /** Tells everyone that this endpoint has begun or ended to want something. */
  readonly announce: (change: 'subscribe' | 'unsubscribe', interest: Interest) => void
  /** Resolves when everyone knows of all that has been announced; rejects when the endpoint closes first. */
  readonly known: () => Promise<void>
  readonly failed: (error: LahjaError) => void
  /** An assignment of that channel's other end has been handled. */
  readonly settled: (channel: Channel) => void
  /** Nothing waits for a handler any more. */
  readonly idle: () => void
}

/** Whom an event of a type goes to within the endpoint. */
interface Receivers {
  readonly all: readonly Subscription[]
  readonly queues: ReadonlyMap<string, readonly Subscription[]>
}

/** The subscriptions of one endpoint. */
export class Subscriptions {
  readonly #context: SubscriptionsContext
  readonly #router = new PatternTree<Subscription, Receivers>(receiversOf)
  readonly #open = new Set<Subscription>()
  readonly #rotations = new Balancers()
  /** Assignments under way or waiting. */
  #inHand = 0

  constructor(context: SubscriptionsContext) {
    this.#context = context
  }

  /** Is nothing of what queues have assigned in hand? */
  get isIdle(): boolean {
    return this.#inHand === 0
  }

  /** Events from there that wait for handlers. */
  waitingFrom(origin: string): number {
    let count = 0
    for (const subscription of this.#open) count += subscription.waitingFrom(origin)
    return count
  }

  /** @param ended called when anything has ended the subscription */
  add({ interest, consumer, schema, signal }: SubscribeSettings, ended?: () => void): Subscription {
    const stop = () => subscription.unsubscribe()
    const { announce, known, failed, idle } = this.#context
    const subscription: Subscription = new Subscription({
      interest,
      consumer,
      schema,
      failed,
      known,
      idle,
      unsubscribed: () => {
        signal?.removeEventListener('abort', stop)
        this.#open.delete(subscription)
        this.#router.remove(interest.type, subscription)
        announce('unsubscribe', interest)
        ended?.()
      },
    })
    this.#open.add(subscription)
    this.#router.add(interest.type, subscription)
    announce('subscribe', interest)
    if (signal?.aborted) subscription.unsubscribe()
    else signal?.addEventListener('abort', stop, { once: true })
    return subscription
  }

  /** Hands an event to all that want it, except members of queues. */
  deliver(event: Event, { identity, receiveWindow }: Pick<Channel, 'identity' | 'receiveWindow'>): void {
    for (const subscription of this.#router.select(event.type).all) {
      if (isInterestedIn(subscription.interest, identity)) subscription.deliver(event, receiveWindow)
    }
  }

  /** Gives an event to the member of a queue that has the least to do, or back if there is none any more. */
  assign(assignment: Assignment, channel: Channel): void {
    this.#giveOut(assignment, channel, channel.receiveWindow.hold())
  }

  #giveOut(assignment: Assignment, channel: Channel, account: Receipt): void {
    const { queue, type, payload } = assignment
    const members = this.#router.select(type).queues.get(queue) ?? []
    const wanting = members.filter(({ interest }) => isInterestedIn(interest, channel.identity))
    const member = this.#rotations.of(queue).pick(wanting, ({ load }) => load)
    if (!member) {
      account.release()
      return this.#return(assignment, channel)
    }
    this.#inHand++
    const event = { type, payload, origin: channel.identity.name }
    member.take(event, {
      done: () => {
        this.#inHand--
        account.done()
        this.#context.settled(channel)
      },
      release: () => {
        this.#inHand--
        this.#giveOut(assignment, channel, account)
      },
    })
  }

  /** Takes no more part in queues; what waits goes to other members. Returns whether it took part in any. */
  leaveQueues(): boolean {
    const members = [...this.#open].filter(({ interest }) => isMember(interest))
    for (const subscription of members) subscription.unsubscribe()
    return members.length > 0
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of [...this.#open]) subscription.unsubscribe()
  }

  #return(assignment: Assignment, channel: Channel): void {
    if (channel.outbox.isClosed) return this.#reportStranded(assignment, channel)
    try {
      channel.sendControl({ ...assignment, kind: 'return' })
    } catch (thrown) {
      const { type, queue } = assignment
      const cause = asError(thrown)
      const message = `event ${type} of queue ${queue} could not be given back: ${cause.message}`
      this.#context.failed(thrown instanceof LahjaError ? thrown : new HandlerError(message, { cause }))
      this.#context.settled(channel)
    }
  }

  #reportStranded({ type, queue }: Assignment, { identity }: Channel): void {
    const gone = `there is none here any more, and ${identity.name}, which could choose another, is gone`
    this.#context.failed(new NoSubscribers(`event ${type} of queue ${queue}: expected a member, but ${gone}`))
  }
}

function receiversOf(subscriptions: readonly Subscription[]): Receivers {
  const queues = new Map<string, Subscription[]>()
  for (const subscription of subscriptions) {
    const { queue } = subscription.interest
    if (queue !== undefined) queues.set(queue, [...(queues.get(queue) ?? []), subscription])
  }
  return { all: subscriptions.filter(({ interest }) => interest.queue === undefined), queues }
}
