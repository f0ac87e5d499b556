import type { Channel } from '../channel/channel'
import { Lag } from '../channel/lag'
import type { BudgetHolder, MemoryBudget } from '../channel/memory-budget'
import type { Interest } from '../model/interest'
import type { Limits } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import { matches } from '../model/pattern'
import type { Clock, Timer } from '../platform/clock'
import { isEligible } from '../routing/eligibility'
import type { PullMember, PushMember, Routes } from '../routing/routes'
import { byPlace, Lane } from './lane'
import { Partitions } from './partitions'
import type { QueueEvent } from './queue-event'
import type { QueueMember } from './queue-member'
import { keyOf, type Receivers } from './receivers'

/** Why an event is dropped: the queue is full, or another event has taken its place. */
export type DropReason = 'full' | 'replaced'

export interface WorkQueueContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly budget: MemoryBudget
  readonly routes: Pick<Routes<Channel>, 'queue'>
  /** Whether this endpoint leaves the bus: then its own members get only what no other may have. */
  readonly isLeaving: () => boolean
  readonly memberOf: (member: PullMember<Channel>) => QueueMember | undefined
  /** Gives an event to one of the push members. */
  readonly assign: (event: QueueEvent, members: readonly PushMember<Channel>[], isLastResort?: boolean) => void
  readonly dropped: (event: QueueEvent, reason: DropReason) => void
}

/** Kinds of events whose receivers are remembered; beyond that, they are looked up anew. */
const MAX_AUDIENCES = 10_000

/**
 * A queue with pull members, as one sender sees it. Each event waits here until a member has room for it, the one with the
 * fewest in hand if there are several.
 */
export class WorkQueue implements BudgetHolder {
  readonly name: string
  /** Pull members, and those that have left with some in hand. */
  readonly members = new Set<QueueMember>()
  /** What has happened to its events so far. */
  readonly counts = { returned: 0, redelivered: 0, dead: 0 }
  readonly #context: WorkQueueContext
  /** By the key of their receivers: there are few, however many kinds of events wait. */
  readonly #lanes = new Map<string, Lane>()
  /** The receivers of events, by their audience, with their key. */
  readonly #receivers = new Map<string, readonly [key: string, receivers: Receivers]>()
  /** Whether members have come or gone since the lanes were formed. */
  #isStale = false
  #wasLeaving = false
  #isDealing = false
  readonly #latest = new Map<string, QueueEvent>()
  /** For events with a key: of each key, only one is in a lane or in hand. */
  readonly #partitions = new Partitions()
  /** Members whose endpoints are about to leave the bus, with what they had subscribed to. */
  readonly #closing = new Map<QueueMember, Interest>()
  readonly #lag: Lag
  /** Where the search for the next member begins. */
  #turn = 0
  /** Events that are given again after a while. */
  readonly #delayed = new Map<QueueEvent, Timer>()
  #waiting = 0
  #bytes = 0

  constructor(name: string, context: WorkQueueContext) {
    this.name = name
    this.#context = context
    this.#lag = new Lag(context.clock, context.limits, { lagging: () => {}, slow: () => {} })
    context.budget.join(this)
  }

  /** Number of events that no member has room for, or that are given again later. */
  get waiting(): number {
    return this.#waiting + this.#delayed.size
  }

  /** Bytes of memory that they take. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether none waits that a member may have. */
  get isDealt(): boolean {
    if (this.#delayed.size > 0 || this.#partitions.isBlocked) return false
    this.#refresh()
    for (const { receivers } of this.#lanes.values()) {
      const { pullMembers, pushMembers } = receivers
      if (pullMembers.length > 0 || pushMembers.length > 0) return false
    }
    return true
  }

  get isStalled(): boolean {
    return this.#lag.isLagging
  }

  /** Whether senders should wait for `drained`. They don't for members that have taken nothing for `limits.patience`. */
  get needsDrain(): boolean {
    return this.#bytes > this.#context.limits.highWaterMark && !this.#lag.isLagging
  }

  /** Resolves when it is below the high-water mark, or its members take nothing more. */
  drained(): Promise<void> {
    return this.needsDrain ? this.#lag.wait() : Promise.resolve()
  }

  /** Takes an event, for whichever member has room for it first. Returns whether its sender should wait for `drained`. */
  offer(event: QueueEvent, policy: OverflowPolicy): boolean {
    this.#refresh()
    if (!this.#giveAtOnce(event) && !this.#keep(event, policy)) return false
    const { budget } = this.#context
    if (budget.isOver) budget.makeRoom()
    return policy.kind === 'wait' && this.needsDrain
  }

  /** Takes events back that members have not begun. They keep their places. */
  takeBack(events: readonly QueueEvent[]): void {
    this.#refresh()
    this.#waitAll(events)
    this.deal()
  }

  /** Takes an event back, and gives it to a member again after so many milliseconds. */
  takeBackAfter(event: QueueEvent, delay: number): void {
    const timer = this.#context.clock.after(delay, () => {
      if (this.#endDelay(event)) this.takeBack([event])
    })
    this.#delayed.set(event, timer)
    this.#bytes += event.cost
    const { budget, limits } = this.#context
    while (this.#bytes > limits.outboxBytes && this.dropOldest()) {}
    if (budget.isOver) budget.makeRoom()
  }

  /** Returns whether the event was to be given again after a while. */
  #endDelay(event: QueueEvent): boolean {
    const timer = this.#delayed.get(event)
    if (!timer) return false
    timer.cancel()
    this.#delayed.delete(event)
    this.#bytes -= event.cost
    return true
  }

  /** An event with a key will not be given again: the next one of its key may be. */
  settled(key: string, event: QueueEvent): void {
    const next = this.#partitions.leave(key, event)
    if (!next) return
    this.#refresh()
    this.#laneOf(next).add(next)
    this.deal()
  }

  /** Members have come or gone: others may have what waits. */
  onMembersChanged(): void {
    this.noteMembers()
    this.deal()
  }

  /** The endpoint of a member is about to leave the bus: it gets what no other member may have. */
  onClosing(member: QueueMember, interest: Interest): void {
    member.onClosing()
    this.#closing.set(member, interest)
    this.noteMembers()
  }

  /** The members whose endpoints are about to leave the bus. */
  get closing(): Iterable<QueueMember> {
    return this.#closing.keys()
  }

  /** Whether events wait here for a member whose endpoint closes. */
  hasWaitingFor(member: QueueMember): boolean {
    if (member.isGone) return false
    if (member.load > 0 && this.#partitions.isBlocked) return true
    this.#refresh()
    for (const { receivers } of this.#lanes.values()) if (receivers.pullMembers.includes(member)) return true
    return false
  }

  /** Members have come or gone. Nothing is given yet. */
  noteMembers(): void {
    this.#isStale = true
    for (const member of this.#closing.keys()) if (member.isGone) this.#closing.delete(member)
    this.#partitions.onMembersChanged()
  }

  /** It has no members, and nothing waits. */
  close(): void {
    this.#lag.release()
    this.#context.budget.leave(this)
  }

  /** Gives events to members as long as there is one with room. */
  deal(): void {
    const before = this.#bytes
    this.#dealAll()
    this.#onTaken(before)
  }

  /**
   * Assigns what waits to members at other endpoints, although they have no room for it: this endpoint leaves. Events with a
   * partition stay, as they might overtake those in hand.
   */
  dealOut(): void {
    const delayed = [...this.#delayed.keys()].filter((event) => this.#endDelay(event))
    this.#refresh()
    this.#waitAll(delayed)
    for (const lane of [...this.#lanes.values()]) {
      const pullMembers = reliableOf(lane.receivers.pullMembers.filter(({ channel }) => !channel.isOwn))
      const isLastResort = pullMembers.every(({ isClosing }) => isClosing)
      for (const event of [...lane]) {
        const members = weighed(pullMembers.filter(({ channel }) => mayBeAssigned(event, channel)))
        if (members.length === 0 || event.partition !== undefined || !this.withdraw(event)) continue
        this.#context.assign(event, members, isLastResort)
      }
    }
  }

  /** Takes out an event that still waits, for another queue. Returns whether it did. */
  take(event: QueueEvent): boolean {
    const before = this.#bytes
    if (!this.withdraw(event)) return false
    this.#onTaken(before)
    return true
  }

  /** Removes and returns the events that wait, in order. */
  clear(): QueueEvent[] {
    const removed = this.#partitions.clear()
    for (const event of removed) this.#uncount(event)
    for (const lane of [...this.#lanes.values()]) {
      for (let event = lane.first; event; event = lane.first) {
        this.#shift(lane)
        removed.push(event)
      }
    }
    for (const event of [...this.#delayed.keys()]) if (this.#endDelay(event)) removed.push(event)
    return removed.sort(byPlace)
  }

  dropOldest(): boolean {
    const [lane] = this.#inOrder()
    // Of those that are given again later, the one that has waited longest.
    const [delayed] = this.#delayed.keys()
    const [event] = [lane?.first, this.#partitions.oldest, delayed].flatMap((event) => event ?? []).sort(byPlace)
    if (!event || !(this.#endDelay(event) || this.withdraw(event))) return false
    this.#context.dropped(event, 'full')
    return true
  }

  /** Makes an event wait. Returns whether it does, and is not replaced by a later one. */
  #keep(event: QueueEvent, { kind }: OverflowPolicy): boolean {
    const { limits, dropped } = this.#context
    if (event.key !== undefined && !this.#replace(event.key, event)) return false
    const lane = this.#wait(event)
    // Behind others, it waits as they do. That members had room for it shows nothing of how they take what waits.
    if (lane?.first === event) this.#dealAll()
    if (this.#bytes > limits.outboxBytes && kind === 'dropNewest' && this.withdraw(event)) dropped(event, 'full')
    while (this.#bytes > limits.outboxBytes && this.dropOldest()) {}
    return true
  }

  /** Gives an event without making it wait, if no others do: a new member may not have got those yet. */
  #giveAtOnce(event: QueueEvent): boolean {
    if (this.#isDealing || this.#lanes.size > 0 || event.key !== undefined || event.partition !== undefined)
      return false
    const [, { pullMembers }] = this.#allReceiversOf(event)
    const member = this.#pick(pullMembers)
    if (member) this.#give(member, event)
    return member !== undefined
  }

  #dealAll(): void {
    // What is settled from within is dealt by the outer call.
    if (this.#waiting === 0 || this.#isDealing) return
    this.#refresh()
    this.#isDealing = true
    try {
      while (this.#dealOne()) {}
    } finally {
      this.#isDealing = false
    }
  }

  /** Gives the oldest event that a member has room for. Returns whether there is one. */
  #dealOne(): boolean {
    for (const lane of this.#inOrder()) if (this.#dealFrom(lane)) return true
    return false
  }

  #dealFrom(lane: Lane): boolean {
    const { pullMembers, pushMembers } = lane.receivers
    const member = this.#pick(pullMembers)
    if (!member && pushMembers.length === 0) return false
    const event = this.#shift(lane)
    if (!event) return false
    if (event.partition !== undefined) this.#partitions.onGiven(event.partition)
    if (member) this.#give(member, event)
    else this.#context.assign(event, pushMembers)
    return true
  }

  /** A member whose endpoint leaves has nobody to give it to, and so has one of this endpoint, once that leaves. */
  #give(member: QueueMember, event: QueueEvent): void {
    member.give(event, member.isClosing || (this.#wasLeaving && member.channel.isOwn))
  }

  /** The member with room that has the fewest events in hand, in turn where several have. */
  #pick(members: readonly QueueMember[]): QueueMember | undefined {
    const { length } = members
    const [first] = members
    if (length <= 1) return first?.hasRoom ? first : undefined
    this.#turn = (this.#turn + 1) % length
    let picked: QueueMember | undefined
    const isOneWell = members.some(({ isStuck }) => !isStuck)
    for (let index = 0; index < length; index++) {
      const member = members[(this.#turn + index) % length]
      if (isOneWell && member?.isStuck) continue
      if (member?.hasRoom && (picked === undefined || member.load < picked.load)) picked = member
    }
    return picked
  }

  /** The lanes, by the age of their first events. */
  #inOrder(): Iterable<Lane> {
    if (this.#lanes.size < 2) return this.#lanes.values()
    return [...this.#lanes.values()].sort((one, other) => placeOf(one) - placeOf(other))
  }

  /** Forms the lanes anew if members have come or gone. */
  #refresh(): void {
    const isLeaving = this.#context.isLeaving()
    if (!this.#isStale && this.#wasLeaving === isLeaving) return
    this.#isStale = false
    this.#wasLeaving = isLeaving
    this.#receivers.clear()
    const events = [...this.#lanes.values()].flatMap((lane) => [...lane]).sort(byPlace)
    this.#lanes.clear()
    for (const event of events) this.#laneOf(event).add(event)
  }

  #laneOf(event: QueueEvent): Lane {
    const [key, receivers] = this.#receiversOf(event)
    const known = this.#lanes.get(key)
    if (known) return known
    const lane = new Lane(key, receivers)
    this.#lanes.set(key, lane)
    return lane
  }

  #receiversOf(event: QueueEvent): readonly [key: string, receivers: Receivers] {
    const all = this.#allReceiversOf(event)
    if (event.partition === undefined) return all
    const owner = this.#partitions.ownerOf(event.partition, all[1].pullMembers)
    if (!owner) return all
    const receivers = { pullMembers: [owner], pushMembers: [] }
    return [keyOf(receivers), receivers]
  }

  #allReceiversOf(event: QueueEvent): readonly [key: string, receivers: Receivers] {
    const { audience } = event
    const known = this.#receivers.get(audience)
    if (known) return known
    if (this.#receivers.size >= MAX_AUDIENCES) this.#receivers.clear()
    const receivers = this.#findReceivers(event)
    const keyed = [keyOf(receivers), receivers] as const
    this.#receivers.set(audience, keyed)
    return keyed
  }

  #findReceivers(event: QueueEvent): Receivers {
    const { routes, memberOf } = this.#context
    const { pullMembers = [], pushMembers = [] } = routes.queue(event.type, this.name) ?? {}
    const mayHave = ({ destination }: { destination: Channel }) => {
      return !destination.outbox.isClosed && isEligible(event.type, destination, event.addressing)
    }
    let eligible = pullMembers.filter(mayHave).filter(({ destination }) => event.fits(destination))
    let assignees = pushMembers.filter(mayHave).filter(({ destination }) => event.fitsAssigned(destination))
    const isOther = ({ destination }: { destination: Channel }) => !destination.isOwn
    if (this.#wasLeaving && [...eligible, ...assignees].some(isOther)) {
      eligible = eligible.filter(isOther)
      assignees = assignees.filter(isOther)
    }
    const found = eligible.flatMap((member) => memberOf(member) ?? [])
    if (found.length + assignees.length > 0) return { pullMembers: found, pushMembers: assignees }
    const closing = [...this.#closing].filter(([{ channel }, interest]) => {
      return matches(interest.type, event.type) && mayHave({ destination: channel }) && event.fits(channel)
    })
    return { pullMembers: closing.map(([member]) => member), pushMembers: [] }
  }

  /** An event takes the place of the one with the same key. Returns whether it is the later one. */
  #replace(key: string, event: QueueEvent): boolean {
    const replaced = this.#latest.get(key)
    // One that has waited for a queue may be older.
    if (replaced && replaced.place > event.place) {
      this.#context.dropped(event, 'replaced')
      return false
    }
    if (replaced && this.withdraw(replaced)) this.#context.dropped(replaced, 'replaced')
    this.#latest.set(key, event)
    return true
  }

  /** Members, or other queues, have taken what waited. */
  #onTaken(bytesBefore: number): void {
    if (this.#bytes === bytesBefore) return
    this.#lag.onRead(bytesBefore - this.#bytes)
    this.#lag.recover(this.#context.limits.windowBytes, this.#waiting === 0)
  }

  /** Returns its lane, unless it waits behind others of its key. */
  #wait(event: QueueEvent): Lane | undefined {
    this.#waiting++
    this.#bytes += event.cost
    if (event.partition !== undefined) {
      // Only one that has waited for a queue can be older than those that wait here.
      const later = this.#partitions.laterThan(event)
      if (later && this.#removeFromLane(later)) this.#partitions.park(event.partition, later)
      if (!this.#partitions.enter(event.partition, event)) return undefined
    }
    const lane = this.#laneOf(event)
    lane.add(event)
    return lane
  }

  #waitAll(events: readonly QueueEvent[]): void {
    const lanes = new Map<Lane, QueueEvent[]>()
    for (const event of events) {
      const lane = this.#laneOf(event)
      const added = lanes.get(lane) ?? []
      lanes.set(lane, added)
      added.push(event)
      if (event.partition !== undefined) this.#partitions.onReturned(event.partition)
      this.#waiting++
      this.#bytes += event.cost
    }
    for (const [lane, added] of lanes) lane.addAll(added)
  }

  #shift(lane: Lane): QueueEvent | undefined {
    const event = lane.shift()
    if (!event) return undefined
    if (lane.length === 0) this.#lanes.delete(lane.key)
    this.#uncount(event)
    return event
  }

  /** Takes out an event that still waits. Returns whether it did. */
  withdraw(event: QueueEvent): boolean {
    const { partition } = event
    if (partition !== undefined && !this.#partitions.isParked(event)) {
      if (!this.#partitions.isNext(partition, event) || !this.#removeFromLane(event)) return false
    } else if (partition === undefined && !this.#removeFromLane(event)) return false
    this.#uncount(event)
    if (partition !== undefined) this.settled(partition, event)
    return true
  }

  #removeFromLane(event: QueueEvent): boolean {
    const [key] = this.#receiversOf(event)
    const lane = this.#lanes.get(key)
    if (!lane?.remove(event)) return false
    if (lane.length === 0) this.#lanes.delete(key)
    return true
  }

  /** It waits no longer. */
  #uncount(event: QueueEvent): void {
    if (event.key !== undefined && this.#latest.get(event.key) === event) this.#latest.delete(event.key)
    this.#waiting--
    this.#bytes -= event.cost
    if (this.#bytes <= this.#context.limits.highWaterMark) this.#lag.release()
  }
}

/** Whether an event can be assigned without another one being dropped for it. */
function mayBeAssigned(event: QueueEvent, channel: Channel): boolean {
  return event.fitsAssigned(channel) && channel.outbox.hasRoomFor(event.cost)
}

/** Those that have done something lately, or if none has, those that are not stuck. */
function reliableOf(members: readonly QueueMember[]): readonly QueueMember[] {
  const well = members.filter(({ isStuck }) => !isStuck)
  const active = well.filter(({ done }) => done > 0)
  return active.length > 0 ? active : well
}

/** Their endpoints, with what the members there have done. */
function weighed(members: readonly QueueMember[]): PushMember<Channel>[] {
  const weights = new Map<Channel, number>()
  for (const { channel, done } of members) weights.set(channel, (weights.get(channel) ?? 0) + Math.max(done, 1))
  return [...weights].map(([destination, weight]) => ({ destination, weight }))
}

function placeOf({ first }: Lane): number {
  return first?.place ?? Number.POSITIVE_INFINITY
}
