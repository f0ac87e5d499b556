import { type Channel, fits } from '../channel/channel'
import { referenceTo, travelsByReference } from '../channel/reference'
import { BoundaryCrossed, LahjaError, NoSubscribers, ProtocolViolation } from '../model/errors'
import { NO_HEADERS } from '../model/headers'
import type { OverflowPolicy } from '../model/overflow'
import type { QueueEvent } from '../queues/queue-event'
import { Balancer } from '../routing/balancer'
import { type Addressing, isEligible } from '../routing/eligibility'
import type { PushMember, Queue, Routes } from '../routing/routes'
import { assignmentOf, encodeMessage } from '../wire/codec'
import type { Frame } from '../wire/frame'
import type { Assignment, MessageOf } from '../wire/message'

/** The queues with members that may have an event of this type, without the others. */
export function eligibleQueues(queues: readonly Queue<Channel>[], type: string, options?: Addressing) {
  const mayHave = ({ destination }: { readonly destination: Channel }) => isEligible(type, destination, options)
  return queues.flatMap(({ name, pushMembers, pullMembers }) => {
    const eligible = { name, pushMembers: pushMembers.filter(mayHave), pullMembers: pullMembers.filter(mayHave) }
    return eligible.pushMembers.length + eligible.pullMembers.length > 0 ? eligible : []
  })
}

export interface QueueSenderContext {
  readonly routes: Routes<Channel>
  /** The state of this endpoint. Until it is closed, events that come back go to other members. */
  readonly state: () => 'open' | 'draining' | 'closed'
  readonly report: (error: LahjaError) => void
  /** This endpoint's name. */
  readonly origin: string
  /** Keeps an event for pull members. Returns whether there is one that may have it. */
  readonly keep: (assignment: Assignment) => boolean
}

/** An event of a queue, encoded for the member chosen for it. */
export interface QueueDelivery {
  readonly channel: Channel
  readonly type: string
  readonly queue: string
  readonly frame: Frame
}

/** The queue events of a peer that has disconnected. */
export interface Recovered {
  /** Events not sent to it yet. */
  readonly unsent: number
  /** Those of them that other members have been given now. */
  readonly redelivered: number
  /** Events sent to it and not reported as handled. */
  readonly unfinished: number
}

interface InFlight {
  /** Events given and not settled, including those dropped from the outbox since. */
  given: number
  /** The types given since none was in flight, by queue. */
  readonly types: Map<string, Set<string>>
}

const NONE: readonly never[] = []

/** Types remembered for one queue and member; beyond that, an event of any type may be returned. */
const REMEMBERED_TYPES = 10_000

/**
 * The sending side of work queues: each event goes to one member of the queue, here or at a peer. Events not sent yet
 * are taken back from members that lag or leave, and events that a member returns are given to another.
 */
export class QueueSender {
  readonly #context: QueueSenderContext
  readonly #inFlight = new Map<Channel, InFlight>()
  readonly #balancer = new Balancer()

  constructor(context: QueueSenderContext) {
    this.#context = context
  }

  /**
   * Chooses a member of each queue for an event, of those that take frames of its size, and encodes the event for it.
   * Nothing is sent yet.
   *
   * @param queues with members that may have the event
   * @param encode encodes it for a member of a queue
   */
  prepare(
    queues: readonly Queue<Channel>[],
    type: string,
    options: Addressing = {},
    encode: (assigned: Omit<Assignment, 'kind' | 'payload'>) => Frame,
  ): readonly QueueDelivery[] {
    const { to, except, internal = false } = options
    const isFixed = internal || to !== undefined || except !== undefined
    return queues.flatMap(({ name: queue, pushMembers }) => {
      const frame = encode({ queue, type, isFixed })
      const fitting = pushMembers.filter(({ destination }) => fits(destination, frame))
      const channel = this.choose(queue, fitting)
      return channel ? { channel, type, queue, frame } : []
    })
  }

  /**
   * The member with the fewest events in flight for its weight, round-robin on ties. A lagging one only if all lag, and one
   * of this endpoint, once it is leaving, only if there is no other.
   */
  choose(queue: string, members: readonly PushMember<Channel>[]): Channel | undefined {
    const isLeaving = this.#context.state() !== 'open'
    const loadOf = ({ destination, weight }: PushMember<Channel>) => {
      if (isLeaving && destination.isOwn) return Number.POSITIVE_INFINITY
      return destination.outbox.isLagging ? Number.MAX_VALUE : this.inFlight(destination) / weight
    }
    return this.#balancer.pick(members, loadOf, queue)?.destination
  }

  /**
   * Assigns an event of a queue, whose other members have no room, to the member with the fewest events in flight.
   *
   * @param isLastResort whether all of them are at endpoints that are about to leave
   */
  assign(event: QueueEvent, members: readonly PushMember<Channel>[], isLastResort = false): void {
    const { queue, type } = event
    const channel = this.choose(queue, members)
    if (channel) this.give({ channel, type, queue, frame: event.assignFrame(isLastResort) }, { kind: 'wait' })
  }

  /** Sends an event to the member that was chosen for it. Returns whether to wait for its outbox. */
  give({ channel, type, queue, frame }: QueueDelivery, policy: OverflowPolicy): boolean {
    const entry = this.#entryOf(channel)
    if (this.inFlight(channel) === 0) entry.types.clear()
    entry.given++
    const types = entry.types.get(queue)
    if (!types) entry.types.set(queue, new Set([type]))
    else if (types.size < REMEMBERED_TYPES) types.add(type)
    return channel.send(frame, policy)
  }

  /** Number of events given to a member and not settled. */
  inFlight(channel: Channel): number {
    return Math.max((this.#inFlight.get(channel)?.given ?? 0) - channel.outbox.droppedAssignments, 0)
  }

  /** This many events of a member are done: handled, returned, or taken back from its outbox. */
  settle(channel: Channel, count: number): void {
    const entry = this.#entryOf(channel)
    // Dropped events are never settled: they stay counted on both sides.
    entry.given = Math.max(entry.given - count, channel.outbox.droppedAssignments)
  }

  /** A peer returned an event: gives it to another member, or reports it as lost. */
  onReturn(channel: Channel, message: MessageOf<'return'>): void {
    const { type, queue } = message
    const { name } = channel.identity
    const { state, report } = this.#context
    const refuse = (why: string) => report(new BoundaryCrossed(`${name} returned an event of ${type}, but ${why}`))
    if (!isEligible(type, channel)) return refuse('it is outside the boundary of that type')
    if (!this.#hasGiven(channel, type, queue)) return refuse('none was given to it')
    this.settle(channel, 1)
    const assignment: Assignment = { ...message, kind: 'assign' }
    if (state() === 'closed') return this.#reportLost(channel, assignment)
    if (!this.#giveReturned(channel, assignment) && !this.#returnToSame(channel, assignment))
      this.#reportLost(channel, assignment)
  }

  /**
   * A peer has left queues: gives its unsent events to other members.
   *
   * @param isClosing whether it handles what no other may have
   */
  onMembersLeft(channel: Channel, isClosing: boolean): void {
    this.#redeliver(channel, (assignment, frame) => {
      if (this.#isMember(channel, assignment)) return false
      return !isClosing || this.#hasOthers(channel, assignment, frame)
    })
  }

  /** A peer lags: gives its unsent events to members that don't lag. */
  onLagging(channel: Channel): void {
    this.#redeliver(channel, (assignment, frame) => {
      if (assignment.isFixed) return false
      return this.#eligibleFor(assignment, frame).some(({ destination }) => !destination.outbox.isLagging)
    })
  }

  /** The channel is closed: gives its unsent events to other members. */
  onClosed(channel: Channel): Recovered {
    const frames = channel.outbox.removeAssignments(() => true)
    const unfinished = Math.max(this.inFlight(channel) - frames.length, 0)
    this.#inFlight.delete(channel)
    const lost = this.#context.state() === 'closed' ? frames : this.#giveToOthers(frames)
    const redelivered = frames.length - lost.length
    return { unsent: frames.length, redelivered, unfinished }
  }

  #redeliver(channel: Channel, isWanted: (assignment: Assignment, frame: Frame) => boolean): void {
    const frames = channel.outbox.removeAssignments((frame) => isWanted(assignmentOf(frame), frame))
    this.settle(channel, frames.length)
    for (const frame of this.#giveToOthers(frames)) this.#reportLost(channel, assignmentOf(frame))
  }

  /** Returns the events that no other member could have. */
  #giveToOthers(frames: readonly Frame[]): readonly Frame[] {
    return frames.filter((frame) => {
      const assignment = assignmentOf(frame)
      if (this.#giveTo(this.#eligibleFor(assignment, frame), assignment, frame)) return false
      return assignment.isFixed || !this.#context.keep(assignment)
    })
  }

  #reportLost(channel: Channel, { type, queue, payload, headers = NO_HEADERS }: Assignment): void {
    const isClosed = this.#context.state() === 'closed'
    const nobody = isClosed ? 'this endpoint closed before another member could have it' : 'no other member may have it'
    const why = `${channel.identity.name} left the queue, and ${nobody}`
    const text = `event ${type} of queue ${queue} is lost: ${why}`
    const { origin, report } = this.#context
    report(new NoSubscribers(text, { event: { type, payload, origin, headers } }))
  }

  /**
   * Gives a returned event to another member. This endpoint, which returns events while it leaves, doesn't get its own again.
   *
   * @throws ProtocolViolation if it was returned in a form that can't have been sent from here
   */
  #giveReturned(from: Channel, assignment: Assignment): boolean {
    const frame = encodeReturned(assignment)
    const members = this.#eligibleFor(assignment, frame)
    const others = from.isOwn ? members.filter(({ destination }) => destination !== from) : members
    return this.#giveTo(others, assignment, frame) || (!assignment.isFixed && this.#context.keep(assignment))
  }

  /** Gives an event to one of these members. Returns whether there is one. */
  #giveTo(members: readonly PushMember<Channel>[], { type, queue }: Assignment, frame: Frame): boolean {
    const channel = this.choose(queue, members)
    if (!channel) return false
    this.give({ channel, type, queue, frame }, { kind: 'wait' })
    return true
  }

  /**
   * No other member may have an event that was returned: it goes back to the one that returned it, which handles it if it is
   * about to close. One that has only unsubscribed returns it again, and then it is lost.
   */
  #returnToSame(channel: Channel, assignment: Assignment): boolean {
    const { type, queue, isFixed } = assignment
    if (isFixed || channel.outbox.isClosed) return false
    const frame = encodeReturned({ ...assignment, isFixed: true })
    if (!fits(channel, frame)) return false
    this.give({ channel, type, queue, frame }, { kind: 'wait' })
    return true
  }

  #eligibleFor({ type, queue, isFixed }: Assignment, frame: Frame): readonly PushMember<Channel>[] {
    if (isFixed) return NONE
    return this.#membersOf(type, queue).filter(({ destination }) => {
      return !destination.outbox.isClosed && isEligible(type, destination) && fits(destination, frame)
    })
  }

  /** Whether there are members to give an event to, or to keep it for, other than at this peer. */
  #hasOthers(channel: Channel, assignment: Assignment, frame: Frame): boolean {
    if (this.#eligibleFor(assignment, frame).length > 0) return true
    const { type, queue, isFixed } = assignment
    const pullMembers = this.#context.routes.queue(type, queue)?.pullMembers ?? NONE
    return !isFixed && pullMembers.some(({ destination }) => destination !== channel && isEligible(type, destination))
  }

  #isMember(channel: Channel, { type, queue }: Assignment): boolean {
    return this.#membersOf(type, queue).some(({ destination }) => destination === channel)
  }

  #membersOf(type: string, queue: string): readonly PushMember<Channel>[] {
    return this.#context.routes.queue(type, queue)?.pushMembers ?? NONE
  }

  /** Whether events in flight can include one of this type. */
  #hasGiven(channel: Channel, type: string, queue: string): boolean {
    const types = this.#inFlight.get(channel)?.types.get(queue)
    if (!types || this.inFlight(channel) === 0) return false
    return types.has(type) || types.size === REMEMBERED_TYPES
  }

  #entryOf(channel: Channel): InFlight {
    const known = this.#inFlight.get(channel)
    if (known) return known
    const entry: InFlight = { given: 0, types: new Map() }
    this.#inFlight.set(channel, entry)
    return entry
  }
}

function encodeReturned(assignment: Assignment): Frame {
  if (travelsByReference(assignment.type)) return referenceTo(assignment)
  try {
    return encodeMessage(assignment)
  } catch (cause) {
    if (!(cause instanceof LahjaError)) throw cause
    const text = `return: expected an event that was assigned, got one that can't be encoded: ${cause.message}`
    throw new ProtocolViolation('malformed', text, { cause })
  }
}
