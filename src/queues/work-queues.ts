import type { Channel } from '../channel/channel'
import type { MemoryBudget } from '../channel/memory-budget'
import { LahjaError, NoSubscribers, OutboxOverflow } from '../model/errors'
import type { Event, EventHeaders } from '../model/event'
import type { Interest } from '../model/interest'
import type { Limits } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import type { Clock, Timer } from '../platform/clock'
import { type Addressing, isEligible } from '../routing/eligibility'
import type { PushMember, Queue, Routes } from '../routing/routes'
import type { Assignment, Progress } from '../wire/message'
import { type Content, contentOf, NO_QUEUE, QueueEvent, type Terms } from './queue-event'
import { QueueMember } from './queue-member'
import { type DropReason, WorkQueue } from './work-queue'

/**
 * Milliseconds after which a member that was asked for events has read that, or has read nothing for so long that it asks for
 * news before it begins another one: see `ReadLease`. Until then, what it tells of those that it has begun has arrived.
 */
const RECALL_TIME = 1000

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
  /** Called for an event whose handler has failed for the last time. */
  readonly unfinished: (channel: Channel, event: Event) => void
  /** This endpoint's name. */
  readonly origin: string
  /** Broadcasts the payload of an event under another type. @throws NoSubscribers if nobody subscribes to it */
  readonly broadcast: (type: string, payload: unknown, internal: boolean, headers: EventHeaders) => void
  /** Gives an event to one of the push members. */
  readonly assign: (event: QueueEvent, members: readonly PushMember<Channel>[], isLastResort?: boolean) => void
}

/** What a queue is up to, as this endpoint sees it. */
export interface QueueInfo {
  /** Empty for the events that wait for any queue, as their type has a `hold`. */
  readonly name: string
  /** Subscriptions in it, here and at peers, that say how many events they take. */
  readonly members: number
  /** Events that this endpoint has given to them and that they have not handled. */
  readonly inHand: number
  /** Events that no member has room for. */
  readonly waiting: number
  /** Events that members have given back so far. */
  readonly returned: number
  /** How often events have been given again so far, after members had died or failed. */
  readonly redelivered: number
  /** Events broadcast as dead letters so far. */
  readonly dead: number
}

/** The events of a member that is gone. */
export interface LeftInHand {
  /** Events that it had begun, or may have. */
  readonly unfinished: readonly Event[]
  /** Number of events that wait for other members now. */
  readonly returned: number
}

/** The sending side of queues with pull members. */
export class WorkQueues {
  readonly #context: WorkQueuesContext
  readonly #queues = new Map<string, WorkQueue>()
  readonly #members = new Map<Channel, Map<number, QueueMember>>()
  /** Members that have left, and may still have something in hand. */
  readonly #leaving = new Set<QueueMember>()
  /** Members that are asked for events, with the end of the time that they have for it. */
  readonly #recalls = new Map<QueueMember, Timer>()
  /** Events that wait for a queue, with the end of their time. */
  readonly #held = new Map<QueueEvent, Timer>()
  /** Peers that are about to leave, with those that wait until nothing is kept for them. */
  readonly #waits = new Map<Channel, readonly (() => void)[]>()
  #places = 0

  constructor(context: WorkQueuesContext) {
    this.#context = context
  }

  /** Whether no event waits that a member may have, and none is in hand that may have to be given again. */
  get isDealt(): boolean {
    for (const queue of this.#queues.values()) if (!queue.isDealt) return false
    for (const member of this.#everyMember()) if (member.mayRepeat) return false
    return true
  }

  /**
   * Whether a queue has a member that takes an event. Nothing is sent yet.
   *
   * @param queue with the members that may have the event
   */
  isTakenBy(queue: Queue<Channel>, event: QueueEvent): boolean {
    const { pullMembers, pushMembers } = queue
    if (pullMembers.some(({ destination }) => event.fits(destination))) return true
    return pushMembers.some(({ destination }) => event.fitsAssigned(destination))
  }

  /** Of each queue above the high-water mark: when it is below, or no longer waited for. */
  drains(): Promise<void>[] {
    const waits: Promise<void>[] = []
    for (const queue of this.#queues.values()) if (queue.needsDrain) waits.push(queue.drained())
    return waits
  }

  eventOf(
    queue: string,
    type: string,
    addressing: Addressing | undefined,
    content: Content,
    terms?: Terms,
  ): QueueEvent {
    return new QueueEvent(queue, type, addressing, content, ++this.#places, terms)
  }

  /** Takes an event, for whichever member has room for it first. Returns the queue if its sender should wait for it. */
  offer(event: QueueEvent, policy: OverflowPolicy): WorkQueue | undefined {
    this.#context.budget.charge(event.cost)
    if (event.queue === NO_QUEUE) this.#hold(event)
    const queue = this.#queueOf(event.queue)
    return queue.offer(event, policy) ? queue : undefined
  }

  /** Takes an event over from a member to which it was assigned. Returns whether there is another that may have it. */
  keep({ queue: name, type, payload, headers }: Assignment): boolean {
    const queue = this.#context.routes.queue(type, name)
    if (!queue) return false
    const event = this.eventOf(name, type, undefined, contentOf(type, payload), { headers })
    const pullMembers = queue.pullMembers.filter(({ destination }) => isEligible(type, destination))
    if (!this.isTakenBy({ ...queue, pullMembers, pushMembers: [] }, event)) return false
    this.offer(event, { kind: 'wait' })
    return true
  }

  /** An endpoint has subscribed, maybe as a member of queues. */
  onSubscribe(channel: Channel, interests: Iterable<Interest>): void {
    const joined = new Set<string>()
    for (const interest of interests) {
      if (interest.queue === undefined) continue
      joined.add(interest.queue)
      this.#join(channel, interest.queue, interest)
    }
    // Only when all are known, as routes lead to them already.
    for (const name of joined) this.#queues.get(name)?.noteMembers()
    // What has waited for a queue may be older than what waits in it.
    if (joined.size > 0) this.#placeHeld()
    for (const name of joined) this.#onMembersChanged(name)
    // Others may have now what only members may have had that are stuck, or whose endpoints are closing.
    for (const name of joined) {
      const { closing = [], members = [] } = this.#queues.get(name) ?? {}
      for (const member of closing) void this.#recall(member)
      this.#recallAmong(members)
    }
    this.#resolveWaits()
  }

  /**
   * Members have unsubscribed: each settles what it has in hand, but gets nothing more, unless its endpoint is about to leave
   * the bus: then it gets what no other may have, until the channel is closed.
   */
  onUnsubscribe(channel: Channel, interests: Iterable<Interest>, isClosing: boolean): void {
    const { limits } = this.#context
    const left = new Set<string>()
    for (const interest of interests) {
      const { queue, member: number } = interest
      if (queue !== undefined) left.add(queue)
      const member = number === undefined ? undefined : this.#members.get(channel)?.get(number)
      if (!member) continue
      // A peer that only says that it leaves, again and again, is no reason to remember all its members.
      const isRemembered = (this.#members.get(channel)?.size ?? 0) <= limits.interests
      if (isClosing && isRemembered) this.#queueOf(member.queue).onClosing(member, interest)
      else {
        this.#onLeft(member)
        this.#forget(member)
      }
    }
    for (const name of left) this.#onMembersChanged(name)
    this.#resolveWaits()
  }

  /** Whether events wait here for members at a peer that is about to leave. */
  hasWaitingFor(channel: Channel): boolean {
    for (const member of this.#members.get(channel)?.values() ?? []) {
      if (member.isClosing && this.#queueOf(member.queue).hasWaitingFor(member)) return true
    }
    return false
  }

  /** Resolves when no events wait for members at a peer that is about to leave, or it has left. */
  nothingWaitsFor(channel: Channel): Promise<void> {
    return new Promise((resolve) => {
      this.#waits.set(channel, [...(this.#waits.get(channel) ?? []), resolve])
      this.#resolveWaits()
    })
  }

  onProgress(channel: Channel, progress: Progress): void {
    const member = this.#members.get(channel)?.get(progress.member)
    if (!member) return
    const { handled, returned, failed } = member.onProgress(progress, this.#leaving.has(member))
    const takesNoMore = member.isClosing && progress.capacity === 0
    if (takesNoMore) this.#onLeft(member)
    for (const event of handled) this.#settle(event)
    for (const event of failed) if (!this.#redeliver(event, true)) this.#reportFailed(event, channel)
    const queue = this.#queueOf(member.queue)
    if (returned.length > 0) this.#takeBack(queue, returned, channel)
    else queue.deal()
    if (this.#forget(member) || takesNoMore) this.#onMembersChanged(member.queue)
    this.#onChanged()
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
      this.#endRecall(member)
      this.#queueOf(member.queue).members.delete(member)
      const { begun, notBegun } = member.close()
      const mayHaveBegun = isRead ? begun : [...begun, ...notBegun]
      for (const event of mayHaveBegun) {
        if (this.#redeliver(event, false)) continue
        unfinished.push(event.asEvent(origin))
        this.#settle(event)
      }
      if (!isRead) continue
      returned += notBegun.length
      this.#takeBack(this.#queueOf(member.queue), notBegun, channel)
    }
    for (const name of [...this.#queues.keys()]) this.#onMembersChanged(name)
    this.#onChanged()
    return { unfinished, returned }
  }

  /** An endpoint has become unresponsive or responsive, or has fallen behind or caught up. */
  onPace(channel: Channel): void {
    const names = new Set<string>()
    for (const { queue } of this.#members.get(channel)?.values() ?? []) names.add(queue)
    for (const name of names) {
      const queue = this.#queueOf(name)
      this.#recallAmong(queue.members)
      queue.deal()
    }
  }

  /** Asks members of a queue that are stuck for what they have not begun, if there is one that isn't. */
  #recallAmong(members: Iterable<QueueMember>): void {
    const stuck: QueueMember[] = []
    let isOneWell = false
    for (const member of members) {
      if (member.isStuck) stuck.push(member)
      else if (!member.isGone && !member.isClosing) isOneWell = true
    }
    if (isOneWell) for (const member of stuck) void this.#recall(member)
  }

  async #recall(member: QueueMember): Promise<void> {
    const { channel, number, recallable: through } = member
    if (through === undefined || channel.isOwn) return
    member.onRecalled(through)
    channel.sendMessage({ kind: 'recall', member: number, through })
    // Only what it can read binds it.
    if (!(await channel.outbox.controlWritten())) return
    if (this.#members.get(channel)?.get(number) !== member) return
    const { clock } = this.#context
    this.#endRecall(member)
    // What it has told of meanwhile has to be read first.
    const timer = clock.after(RECALL_TIME, () => {
      clock.nextPoll(() => {
        if (this.#recalls.get(member) === timer) this.#onRecallOver(member, through)
      })
    })
    this.#recalls.set(member, timer)
  }

  #onRecallOver(member: QueueMember, through: number): void {
    this.#recalls.delete(member)
    this.#takeBack(this.#queueOf(member.queue), member.takeBack(through), member.channel)
    if (this.#forget(member)) this.#onMembersChanged(member.queue)
    this.#onChanged()
  }

  #endRecall(member: QueueMember): void {
    this.#recalls.get(member)?.cancel()
    this.#recalls.delete(member)
  }

  /** Number of events that the members at the other end have in hand. */
  inHand(channel: Channel): number {
    let count = 0
    for (const { load } of this.#members.get(channel)?.values() ?? []) count += load
    return count
  }

  /** This endpoint begins to close: how much members do from now on shows how fast they are. */
  leave(): void {
    for (const member of this.#everyMember()) member.countFromNow()
  }

  /** This endpoint is about to leave: what members at other endpoints may have waits there from now on. */
  dealOut(): void {
    for (const queue of this.#queues.values()) queue.dealOut()
  }

  /** Reports what waits as lost, as this endpoint closes. Returns numbers by queue. */
  loseWaiting(): Map<string, number> {
    const lost = new Map<string, number>()
    for (const queue of [...this.#queues.values()]) {
      const events = queue.clear()
      if (events.length > 0) lost.set(queue.name, events.length)
      for (const event of events) this.#reportLost(event, 'this endpoint closed before another member could have it')
      this.#onMembersChanged(queue.name)
    }
    return lost
  }

  info(): QueueInfo[] {
    return [...this.#queues.values()]
      .map(({ name, members, waiting, counts }) => {
        let inHand = 0
        let open = 0
        for (const member of members) {
          inHand += member.load
          if (!this.#leaving.has(member) && !member.isClosing) open++
        }
        return { name, members: open, inHand, waiting, ...counts }
      })
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  #hold(event: QueueEvent): void {
    const { hold = 0 } = event.terms
    const timer = this.#context.clock.after(hold, () => {
      if (!this.#queueOf(NO_QUEUE).withdraw(event)) return
      this.#reportLost(event, `no queue got a member that may have it within ${hold} ms`)
      this.#forgetEmpty(NO_QUEUE)
    })
    this.#held.set(event, timer)
  }

  /** Moves the events that wait for a queue to those that can have them now. */
  #placeHeld(): void {
    if (this.#held.size === 0) return
    const held = this.#queueOf(NO_QUEUE)
    const queues = new Map<string, string | undefined>()
    for (const event of [...this.#held.keys()]) {
      const { audience } = event
      if (!queues.has(audience)) queues.set(audience, this.#queueFor(event))
      const name = queues.get(audience)
      if (name === undefined || !held.take(event)) continue
      this.#release(event)
      this.#queueOf(name).offer(event.inQueue(name), { kind: 'wait' })
    }
    for (const name of [NO_QUEUE, ...queues.values()]) if (name !== undefined) this.#forgetEmpty(name)
  }

  /** The first queue with a member that may have an event. */
  #queueFor(event: QueueEvent): string | undefined {
    const { type, addressing } = event
    const queue = this.#context.routes.select(type).queues.find(({ name, pullMembers, pushMembers }) => {
      const mayHave = ({ destination }: { readonly destination: Channel }) => isEligible(type, destination, addressing)
      return (
        pullMembers.some((pullMember) => mayHave(pullMember) && event.fits(pullMember.destination)) ||
        pushMembers.some((member) => mayHave(member) && event.fitsAssigned(member.destination, name))
      )
    })
    return queue?.name
  }

  /** It waits for a queue no longer. */
  #release(event: QueueEvent): void {
    if (this.#held.size === 0) return
    this.#held.get(event)?.cancel()
    this.#held.delete(event)
  }

  #join(channel: Channel, queue: string, { member, capacity = 0 }: Interest): void {
    if (member === undefined) return
    const members = this.#members.get(channel) ?? new Map<number, QueueMember>()
    this.#members.set(channel, members)
    const { windowBytes } = this.#context.limits
    if (members.has(member)) return
    const joined = new QueueMember(queue, channel, member, capacity, windowBytes)
    members.set(member, joined)
    this.#queueOf(queue).members.add(joined)
  }

  *#everyMember(): Generator<QueueMember> {
    for (const members of this.#members.values()) yield* members.values()
  }

  #takeBack(queue: WorkQueue, events: readonly QueueEvent[], channel: Channel): void {
    if (events.length === 0) return
    queue.counts.returned += events.length
    // What own members give back is lost with all else that waits.
    if (this.#context.state() !== 'closed' || channel.isOwn) return queue.takeBack(events)
    const { identity } = channel
    for (const event of events) this.#reportLost(event, `${identity.name} left the queue, and this endpoint has closed`)
  }

  /** Gives an event again that a member may have handled, or makes it a dead letter. Returns whether it is either. */
  #redeliver(event: QueueEvent, isAfterError: boolean): boolean {
    if (this.#context.state() === 'closed') return false
    const { redelivery, queue } = event
    if (!event.redeliver(isAfterError)) return this.#broadcastDeadLetter(event, isAfterError)
    const owner = this.#queueOf(queue)
    owner.counts.redelivered++
    if (redelivery && redelivery.delay > 0) owner.takeBackAfter(event, redelivery.delay)
    else owner.takeBack([event])
    return true
  }

  /** An event has failed, and neither is given again nor was to be a dead letter. If it could have been, its sender wants to know. */
  #reportFailed(event: QueueEvent, channel: Channel): void {
    const { origin, unfinished } = this.#context
    this.#settle(event)
    if (event.redelivery?.onError) unfinished(channel, event.asEvent(origin))
  }

  /** Broadcasts an event under the type for dead letters, or reports why not. Returns whether it has one. */
  #broadcastDeadLetter(event: QueueEvent, isAfterError: boolean): boolean {
    const { redelivery, queue, payload, headers } = event
    if (redelivery?.deadLetter === undefined || (isAfterError && !redelivery.onError)) return false
    this.#settle(event)
    try {
      this.#context.broadcast(redelivery.deadLetter, payload, event.isInternal, headers)
      this.#queueOf(queue).counts.dead++
    } catch (error) {
      if (!(error instanceof LahjaError)) throw error
      const text = `event ${event.type} of queue ${queue} could not become a dead letter: ${error.message}`
      this.#context.report(new NoSubscribers(text, { event: event.asEvent(this.#context.origin), cause: error }))
    }
    return true
  }

  #reportLost(event: QueueEvent, why: string): void {
    this.#settle(event)
    const { origin, report } = this.#context
    const text = `${event.subject} is lost: ${why}`
    report(new NoSubscribers(text, { event: event.asEvent(origin) }))
  }

  #drop(event: QueueEvent, reason: DropReason): void {
    this.#settle(event)
    if (reason === 'replaced') return
    const { limits, origin, report } = this.#context
    const advice = 'add members, send less, or raise limits.outboxBytes or limits.outboxTotalBytes'
    const full = `too many wait for members (limits.outboxBytes is ${limits.outboxBytes})`
    report(new OutboxOverflow(`${event.subject} was dropped: ${full}; ${advice}`, { event: event.asEvent(origin) }))
  }

  #settle(event: QueueEvent): void {
    this.#release(event)
    this.#context.budget.charge(-event.cost)
    if (event.partition !== undefined) this.#queues.get(event.queue)?.settled(event.partition, event)
  }

  #onLeft(member: QueueMember): void {
    member.leave()
    this.#leaving.add(member)
  }

  #onChanged(): void {
    this.#resolveWaits()
    this.#context.changed()
  }

  #resolveWaits(): void {
    for (const [channel, resolves] of this.#waits) {
      if (this.hasWaitingFor(channel)) continue
      this.#waits.delete(channel)
      for (const resolve of resolves) resolve()
    }
  }

  /** Forgets a member that has left and has nothing in hand. Returns whether it has. */
  #forget(member: QueueMember): boolean {
    if (member.load > 0 || !this.#leaving.delete(member)) return false
    this.#endRecall(member)
    const members = this.#members.get(member.channel)
    members?.delete(member.number)
    this.#queueOf(member.queue).members.delete(member)
    if (members?.size === 0) this.#members.delete(member.channel)
    return true
  }

  #onMembersChanged(name: string): void {
    this.#queues.get(name)?.onMembersChanged()
    this.#forgetEmpty(name)
  }

  /** Forgets a queue that has no members, if nothing waits in it. */
  #forgetEmpty(name: string): void {
    const queue = this.#queues.get(name)
    // Programs that keep inventing names must not fill the memory.
    if (!queue || queue.members.size > 0 || queue.waiting > 0) return
    queue.close()
    this.#queues.delete(name)
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
      isLeaving: () => state() !== 'open',
      memberOf: ({ destination, member }) => this.#members.get(destination)?.get(member),
      assign: (event, members, isLastResort) => {
        this.#settle(event)
        assign(event, members, isLastResort)
      },
      dropped: (event, reason) => this.#drop(event, reason),
    })
    this.#queues.set(name, queue)
    return queue
  }
}
