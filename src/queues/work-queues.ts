import type { Channel } from '../channel/channel'
import type { MemoryBudget } from '../channel/memory-budget'
import { type LahjaError, NoSubscribers, OutboxOverflow } from '../model/errors'
import type { Event } from '../model/event'
import type { Interest } from '../model/interest'
import type { Limits } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import type { Clock } from '../platform/clock'
import { Balancer } from '../routing/balancer'
import type { Addressing } from '../routing/eligibility'
import type { Member, Queue, Routes } from '../routing/routes'
import type { Progress } from '../wire/message'
import { type Content, QueueEvent } from './queue-event'
import { QueueMember } from './queue-member'
import { type DropReason, WorkQueue } from './work-queue'

export interface WorkQueuesContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly budget: MemoryBudget
  readonly routes: Routes<Channel>
  /** The state of this endpoint. Until it is closed, events that come back go to other members. */
  readonly state: () => 'open' | 'draining' | 'closed'
  readonly report: (error: LahjaError) => void
  /** Called when an event has been settled, or given to a member. */
  readonly changed: () => void
  /** This endpoint's name. */
  readonly origin: string
  /** Gives an event to one of the members that don't say how many they take. */
  readonly assign: (event: QueueEvent, members: readonly Member<Channel>[]) => void
}

/** What a queue is up to, as this endpoint sees it. */
export interface QueueInfo {
  readonly name: string
  /** Subscriptions in it, here and at peers, that say how many events they take. */
  readonly members: number
  /** Events that this endpoint has given to them and that they have not handled. */
  readonly inHand: number
  /** Events that no member has room for. */
  readonly waiting: number
  /** Events that members have given back so far. A queue without members and events is forgotten. */
  readonly returned: number
}

/** The events of a member that is gone. */
export interface LeftInHand {
  /** Events that it had begun, or may have. */
  readonly unfinished: readonly Event[]
  /** Number of events that wait for other members now. */
  readonly returned: number
}

/** The sending side of queues whose members say how many events they take. */
export class WorkQueues {
  readonly #context: WorkQueuesContext
  readonly #balancer = new Balancer()
  readonly #queues = new Map<string, WorkQueue>()
  readonly #members = new Map<Channel, Map<number, QueueMember>>()
  /** Members that have left, and may still have something in hand. */
  readonly #leaving = new Set<QueueMember>()
  readonly #returned = new Map<string, number>()
  #places = 0

  constructor(context: WorkQueuesContext) {
    this.#context = context
  }

  /** Whether no event waits that a member may have. */
  get isDealt(): boolean {
    for (const queue of this.#queues.values()) if (!queue.isDealt) return false
    return true
  }

  /**
   * Whether a queue has a member that takes an event. Nothing is sent yet.
   *
   * @param queue with the members that may have the event
   */
  isTakenBy(queue: Queue<Channel>, event: QueueEvent): boolean {
    return [...queue.takers, ...queue.members].some(({ destination }) => event.fits(destination))
  }

  /** Resolves when all queues are below the high-water mark, or are no longer waited for. */
  drained(): Promise<unknown> {
    return Promise.all([...this.#queues.values()].map((queue) => queue.drained()))
  }

  eventOf(queue: string, type: string, addressing: Addressing | undefined, content: Content, key?: string): QueueEvent {
    return new QueueEvent(queue, type, addressing, content, ++this.#places, key)
  }

  /** Takes an event, for whichever member has room for it first. Returns the queue if its sender should wait for it. */
  offer(event: QueueEvent, policy: OverflowPolicy): WorkQueue | undefined {
    this.#context.budget.charge(event.cost)
    const queue = this.#queueOf(event.queue)
    return queue.offer(event, policy) ? queue : undefined
  }

  /** There is a new member of a queue. */
  onSubscribe(channel: Channel, { queue, member, capacity = 0 }: Interest): void {
    if (queue === undefined) return
    if (member === undefined) return this.#queues.get(queue)?.deal()
    const members = this.#members.get(channel) ?? new Map<number, QueueMember>()
    this.#members.set(channel, members)
    const { windowBytes } = this.#context.limits
    const known = members.get(member) ?? new QueueMember(queue, channel, member, capacity, windowBytes)
    members.set(member, known)
    this.#queueOf(known.queue).members.add(known)
    this.#queueOf(known.queue).deal()
  }

  /** A member has unsubscribed: it settles what it has in hand, but gets nothing more. */
  onUnsubscribe(channel: Channel, { member: number }: Interest): void {
    const member = number === undefined ? undefined : this.#members.get(channel)?.get(number)
    if (!member) return
    member.leave()
    this.#leaving.add(member)
    // What an endpoint that leaves had for it, its own members may have now.
    this.#queueOf(member.queue).deal()
    this.#forget(member)
  }

  onProgress(channel: Channel, progress: Progress): void {
    const member = this.#members.get(channel)?.get(progress.member)
    if (!member) return
    const { handled, returned } = member.onProgress(progress, this.#leaving.has(member))
    for (const event of handled) this.#settle(event)
    const queue = this.#queueOf(member.queue)
    if (returned.length > 0) this.#takeBack(queue, returned, channel)
    else queue.dealFreed()
    this.#forget(member)
    this.#context.changed()
  }

  /**
   * A channel is closed.
   *
   * @param isRead whether all has been read that came from its other end: if not, what it has begun is not known
   */
  onClosed(channel: Channel, isRead: boolean): LeftInHand {
    const { origin } = this.#context
    const unfinished: Event[] = []
    let returned = 0
    const members = this.#members.get(channel)
    this.#members.delete(channel)
    for (const member of members?.values() ?? []) {
      this.#leaving.delete(member)
      const { begun, notBegun } = member.close()
      const mayHaveBegun = isRead ? begun : [...begun, ...notBegun]
      for (const event of mayHaveBegun) {
        unfinished.push(event.asEvent(origin))
        this.#settle(event)
      }
      const queue = this.#queueOf(member.queue)
      queue.members.delete(member)
      if (isRead) {
        returned += notBegun.length
        this.#takeBack(queue, notBegun, channel)
      }
      queue.deal()
      this.#forgetQueue(queue)
    }
    this.#context.changed()
    return { unfinished, returned }
  }

  /** Number of events that the members at the other end have in hand. */
  inHand(channel: Channel): number {
    let count = 0
    for (const { load } of this.#members.get(channel)?.values() ?? []) count += load
    return count
  }

  /** Reports what waits as lost, as this endpoint closes. Returns numbers by queue. */
  loseWaiting(): Map<string, number> {
    const lost = new Map<string, number>()
    for (const queue of this.#queues.values()) {
      const events = queue.clear()
      if (events.length > 0) lost.set(queue.name, events.length)
      for (const event of events) this.#lose(event, 'this endpoint closed before another member could have it')
      this.#forgetQueue(queue)
    }
    return lost
  }

  info(): QueueInfo[] {
    const queues = [...this.#queues.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
    return queues.map(({ name, members, waiting }) => ({
      name,
      members: [...members].filter((member) => !this.#leaving.has(member)).length,
      inHand: [...members].reduce((sum, { load }) => sum + load, 0),
      waiting,
      returned: this.#returned.get(name) ?? 0,
    }))
  }

  #takeBack(queue: WorkQueue, events: readonly QueueEvent[], { identity }: Channel): void {
    if (events.length === 0) return
    this.#returned.set(queue.name, (this.#returned.get(queue.name) ?? 0) + events.length)
    if (this.#context.state() !== 'closed') return queue.takeBack(events)
    for (const event of events) this.#lose(event, `${identity.name} left the queue, and this endpoint has closed`)
  }

  #lose(event: QueueEvent, why: string): void {
    this.#settle(event)
    const { origin, report } = this.#context
    const text = `event ${event.type} of queue ${event.queue} is lost: ${why}`
    report(new NoSubscribers(text, { event: event.asEvent(origin) }))
  }

  #drop(event: QueueEvent, reason: DropReason): void {
    this.#settle(event)
    if (reason === 'replaced') return
    const { limits, origin, report } = this.#context
    const advice = 'add members, send less, or raise limits.outboxBytes or limits.outboxTotalBytes'
    const full = `its queue ${event.queue} is full (${limits.outboxBytes} bytes wait for members)`
    report(new OutboxOverflow(`event ${event.type} was dropped: ${full}; ${advice}`, { event: event.asEvent(origin) }))
  }

  #settle(event: QueueEvent): void {
    this.#context.budget.charge(-event.cost)
  }

  /** Forgets a member that has left and has nothing in hand. */
  #forget(member: QueueMember): void {
    if (member.load > 0 || !this.#leaving.delete(member)) return
    const members = this.#members.get(member.channel)
    members?.delete(member.number)
    if (members?.size === 0) this.#members.delete(member.channel)
    const queue = this.#queueOf(member.queue)
    queue.members.delete(member)
    this.#forgetQueue(queue)
  }

  /** Forgets a queue without members and events: programs may keep inventing names. */
  #forgetQueue(queue: WorkQueue): void {
    if (queue.members.size > 0 || queue.waiting > 0) return
    this.#queues.delete(queue.name)
    this.#returned.delete(queue.name)
    this.#context.budget.leave(queue)
  }

  #queueOf(name: string): WorkQueue {
    const known = this.#queues.get(name)
    if (known) return known
    const { clock, limits, budget, routes, state, assign } = this.#context
    const queue = new WorkQueue(name, {
      clock,
      limits,
      budget,
      routes,
      balancer: this.#balancer,
      isLeaving: () => state() !== 'open',
      memberOf: ({ destination, member }) => this.#members.get(destination)?.get(member),
      assign: (event, members) => {
        this.#settle(event)
        assign(event, members)
      },
      dropped: (event, reason) => this.#drop(event, reason),
    })
    this.#queues.set(name, queue)
    return queue
  }
}
