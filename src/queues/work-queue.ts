import type { Channel } from '../channel/channel'
import { Lag } from '../channel/lag'
import type { BudgetHolder, MemoryBudget } from '../channel/memory-budget'
import type { Limits } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import type { Clock } from '../platform/clock'
import type { Balancer } from '../routing/balancer'
import { isEligible } from '../routing/eligibility'
import type { Member, Route, Routes, Taker } from '../routing/routes'
import { Lane } from './lane'
import type { QueueEvent } from './queue-event'
import type { QueueMember } from './queue-member'

/** Why an event is dropped: the queue is full, or another event has taken its place. */
export type DropReason = 'full' | 'replaced'

export interface WorkQueueContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly budget: MemoryBudget
  readonly routes: Routes<Channel>
  readonly balancer: Balancer
  /** Whether this endpoint leaves the bus: then its own members get only what no other may have. */
  readonly isLeaving: () => boolean
  readonly memberOf: (taker: Taker<Channel>) => QueueMember | undefined
  /** Gives an event to one of the members that don't say how many they take. */
  readonly assign: (event: QueueEvent, members: readonly Member<Channel>[]) => void
  readonly dropped: (event: QueueEvent, reason: DropReason) => void
}

interface Receivers {
  readonly route: Route<Channel>
  readonly takers: readonly QueueMember[]
  readonly members: readonly Member<Channel>[]
}

/**
 * A queue with members that say how many events they take, as one sender sees it. Each event waits here until a member has
 * room for it, the one with the fewest in hand if there are several.
 */
export class WorkQueue implements BudgetHolder {
  readonly name: string
  /** All its members that say how many events they take, those that have left with something in hand included. */
  readonly members = new Set<QueueMember>()
  readonly #context: WorkQueueContext
  readonly #lanes = new Map<string, Lane>()
  readonly #receivers = new WeakMap<Lane, Receivers>()
  readonly #latest = new Map<string, QueueEvent>()
  readonly #lag: Lag
  #waiting = 0
  #bytes = 0

  constructor(name: string, context: WorkQueueContext) {
    this.name = name
    this.#context = context
    this.#lag = new Lag(context.clock, context.limits, { lagging: () => {}, slow: () => {} })
    context.budget.join(this)
  }

  /** Number of events that no member has room for. */
  get waiting(): number {
    return this.#waiting
  }

  /** Bytes of memory that they take. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether none waits that a member may have. */
  get isDealt(): boolean {
    for (const lane of this.#lanes.values()) {
      const { takers, members } = this.#receiversOf(lane)
      if (takers.length > 0 || members.length > 0) return false
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
    const { limits, dropped } = this.#context
    if (event.key !== undefined) this.#replace(event.key, event)
    // Behind others of its lane, it waits for the same members as they do.
    const lane = this.#wait(event)
    if (lane.first === event) this.#dealWhile(() => this.#dealFrom(lane))
    if (this.#bytes > limits.outboxBytes && policy.kind === 'dropNewest' && this.#withdraw(event))
      dropped(event, 'full')
    while (this.#bytes > limits.outboxBytes && this.dropOldest()) {}
    const { budget } = this.#context
    if (budget.isOver) budget.makeRoom()
    return policy.kind === 'wait' && this.needsDrain
  }

  /** Takes events back that members have not begun. They keep their places. */
  takeBack(events: readonly QueueEvent[]): void {
    const byAudience = new Map<string, QueueEvent[]>()
    for (const event of events) {
      const alike = byAudience.get(event.audience)
      if (alike) alike.push(event)
      else byAudience.set(event.audience, [event])
    }
    for (const [audience, alike] of byAudience) this.#laneOf(audience).addAll(alike)
    for (const event of events) this.#count(event)
    this.deal()
  }

  /** Gives events to members as long as there is one with room. */
  deal(): void {
    if (this.#waiting > 0) this.#dealWhile(() => this.#dealOne())
  }

  /** Like `deal`, when members may have got room, and nothing else has changed. */
  dealFreed(): void {
    if (this.#waiting > 0) this.#dealWhile(() => this.#hasRoom && this.#dealOne())
  }

  get #hasRoom(): boolean {
    for (const { hasRoom } of this.members) if (hasRoom) return true
    return false
  }

  #dealWhile(dealOne: () => boolean): void {
    const before = this.#bytes
    while (this.#waiting > 0 && dealOne()) {}
    if (this.#bytes === before) return
    this.#lag.onRead(before - this.#bytes)
    this.#lag.recover(this.#context.limits.windowBytes, this.#waiting === 0)
    if (this.#bytes <= this.#context.limits.highWaterMark) this.#lag.release()
  }

  /** Removes the events that wait. */
  clear(): QueueEvent[] {
    const removed: QueueEvent[] = []
    for (const lane of [...this.#lanes.values()]) {
      for (let event = lane.first; event; event = lane.first) {
        this.#shift(lane)
        removed.push(event)
      }
    }
    this.#lag.release()
    return removed
  }

  dropOldest(): boolean {
    const [lane] = this.#inOrder()
    const event = lane && this.#shift(lane)
    if (event) this.#context.dropped(event, 'full')
    return event !== undefined
  }

  #dealOne(): boolean {
    for (const lane of this.#inOrder()) if (this.#dealFrom(lane)) return true
    return false
  }

  /** Gives the first event of a lane to a member, if there is one with room. Returns whether it has. */
  #dealFrom(lane: Lane): boolean {
    if (lane.length === 0) return false
    const { takers, members } = this.#receiversOf(lane)
    const free = takers.filter(({ hasRoom }) => hasRoom)
    const member = this.#context.balancer.pick(free, ({ load }) => load, this.name)
    if (!member && members.length === 0) return false
    const event = this.#shift(lane)
    if (!event) return false
    if (member) member.give(event)
    else this.#context.assign(event, members)
    return true
  }

  /** The lanes, by the age of their first events. */
  #inOrder(): readonly Lane[] {
    const lanes = [...this.#lanes.values()]
    return lanes.length < 2 ? lanes : lanes.sort((one, other) => placeOf(one) - placeOf(other))
  }

  #receiversOf(lane: Lane): Receivers {
    const { routes, memberOf, isLeaving } = this.#context
    const { first: event } = lane
    if (!event) throw new TypeError(`queue ${this.name}: a lane without events`)
    const route = routes.select(event.type)
    const known = this.#receivers.get(lane)
    if (known?.route === route && !isLeaving()) return known
    const { takers = [], members = [] } = route.queues.find(({ name }) => name === this.name) ?? {}
    const mayHave = ({ destination }: { destination: Channel }) => {
      return (
        !destination.outbox.isClosed && isEligible(event.type, destination, event.addressing) && event.fits(destination)
      )
    }
    let eligible = takers.filter(mayHave)
    let assignees = members.filter(mayHave)
    const isOther = ({ destination }: { destination: Channel }) => !destination.isOwn
    if (isLeaving() && [...eligible, ...assignees].some(isOther)) {
      eligible = eligible.filter(isOther)
      assignees = assignees.filter(isOther)
    }
    const receivers = { route, takers: eligible.flatMap((taker) => memberOf(taker) ?? []), members: assignees }
    // An endpoint that joins with several members has them all in its routes before the first of them is known here.
    if (receivers.takers.length === eligible.length) this.#receivers.set(lane, receivers)
    return receivers
  }

  #replace(key: string, event: QueueEvent): void {
    const replaced = this.#latest.get(key)
    if (replaced && this.#withdraw(replaced)) this.#context.dropped(replaced, 'replaced')
    this.#latest.set(key, event)
  }

  /** Returns its lane. */
  #wait(event: QueueEvent): Lane {
    const lane = this.#laneOf(event.audience)
    lane.add(event)
    this.#count(event)
    return lane
  }

  #laneOf(audience: string): Lane {
    const known = this.#lanes.get(audience)
    if (known) return known
    const lane = new Lane()
    this.#lanes.set(audience, lane)
    return lane
  }

  #count(event: QueueEvent): void {
    this.#waiting++
    this.#bytes += event.cost
  }

  #shift(lane: Lane): QueueEvent | undefined {
    const event = lane.shift()
    if (event) this.#forget(event, lane)
    return event
  }

  /** Takes out an event that still waits. Returns whether it did. */
  #withdraw(event: QueueEvent): boolean {
    const lane = this.#lanes.get(event.audience)
    if (!lane?.remove(event)) return false
    this.#forget(event, lane)
    return true
  }

  #forget(event: QueueEvent, lane: Lane): void {
    if (lane.length === 0) this.#lanes.delete(event.audience)
    if (event.key !== undefined && this.#latest.get(event.key) === event) this.#latest.delete(event.key)
    this.#waiting--
    this.#bytes -= event.cost
  }
}

function placeOf({ first }: Lane): number {
  return first?.place ?? Number.POSITIVE_INFINITY
}
