import type { Channel } from '../channel/channel'
import type { Outbox } from '../channel/outbox'
import { type Audience, checkAudience, isAddressed } from '../model/audience'
import { type Boundary, boundaryOf, isWithin } from '../model/boundary'
import { LahjaError, NoSubscribers, PayloadTooLarge, ProtocolViolation } from '../model/errors'
import { HANDSHAKE_FRAME } from '../model/limits'
import { type Handling, handlingOf, type Overflow } from '../model/overflow'
import type { Clock } from '../platform/clock'
import type { Member, Queue, Routes } from '../routing/routes'
import { assignmentOf, encodeMessage } from '../wire/codec'
import { EventEncoder, type EventFrame } from '../wire/event-encoder'
import { type Frame, PREFIX_BYTES } from '../wire/frame'
import type { Assignment } from '../wire/message'
import { SLAB_BYTES, type Slabs } from '../wire/slabs'
import type { Queues } from './queues'
import { TurnBudget } from './turn-budget'

export interface BroadcastOptions {
  /** Only for these endpoints. Default: everyone who is subscribed. */
  readonly to?: Audience | undefined
  /** Not for these endpoints: a boundary of this one call. */
  readonly except?: Audience | undefined
  /** Only for this endpoint's own subscriptions. Default false. */
  readonly internal?: boolean | undefined
  /** Reject with `NoSubscribers` if there is nobody to hand the event to. Default: the endpoint's option. */
  readonly requireSubscriber?: boolean | undefined
  /** Ends the wait for slow peers with `AbortError`; the event is handed over all the same. */
  readonly signal?: AbortSignal | undefined
}

export interface BroadcasterContext {
  readonly clock: Clock
  readonly frameLimit: number
  readonly overflow: Overflow
  readonly requireSubscriber: boolean
  readonly routes: Routes<Channel>
  readonly queues: Queues
  readonly slabs: Slabs
}

/** An event's way to one member of a queue. */
interface QueueDelivery {
  readonly channel: Channel
  readonly queue: string
  readonly frame: Frame
}

/** The way out of an event: who gets it, encoded once, into every outbox at once. */
export class Broadcaster {
  readonly #context: BroadcasterContext
  readonly #encoder: EventEncoder
  readonly #handed: Promise<number>[] = []
  readonly #turn: TurnBudget
  /** Events that are being handed over, one inside the other. */
  #depth = 0
  /** Bytes of the last event. */
  #size = 0
  #over: Outbox[] = []

  constructor(context: BroadcasterContext) {
    this.#context = context
    this.#encoder = new EventEncoder(context.frameLimit, context.slabs)
    this.#turn = new TurnBudget(context.clock, SLAB_BYTES)
  }

  /**
   * Hands an event over; afterwards `pressure` says what to wait for.
   *
   * @returns the number of endpoints it was handed to
   * @throws UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument; then nobody has got it
   */
  send(type: string, payload: unknown, options: BroadcastOptions | undefined, overflow: Overflow | undefined): number {
    // A payload's getter or a key function may broadcast something itself: the frame outside is in hand still.
    if (this.#depth === 0) this.#encoder.letGo()
    this.#depth++
    try {
      return this.#send(type, payload, options, overflow)
    } finally {
      this.#depth--
    }
  }

  #send(type: string, payload: unknown, options: BroadcastOptions | undefined, overflow: Overflow | undefined): number {
    const route = this.#context.routes.select(type)
    const boundary = boundaryOf(type)
    if (options) checkOptions(options)
    const isForAll = options === undefined && boundary === undefined
    const recipients = isForAll ? route.recipients : meant(route.recipients, boundary, options)
    const queues = route.queues.length === 0 ? NONE : sharing(route.queues, boundary, options)
    if (this.#over.length > 0) this.#over = []
    if (recipients.length + queues.length === 0) {
      this.#checkRequirement(type, options)
      return 0
    }
    const frame = this.#encoder.event(type, payload)
    checkLimits(type, frame, recipients)
    const errands = queues.length === 0 ? NONE : this.#errands(queues, type, frame, options)
    this.#size = frame.end - frame.start
    this.#turn.spend(this.#size)
    const handling = handlingOf(overflow ?? this.#context.overflow, type, payload)
    for (const channel of recipients) if (channel.send(frame, handling)) this.#over.push(channel.outbox)
    for (const { channel, queue, frame } of errands) {
      this.#context.queues.give(channel, { type, queue }, frame, handlingWithin(queue, handling))
    }
    if (handling.kind === 'wait') for (const { channel } of errands) this.#notePressure(channel)
    return errands.length === 0 ? recipients.length : countOf(recipients, errands)
  }

  /**
   * Gives an event, whose member of a queue is gone, to another. Returns whether there is one that may have it.
   *
   * @param frame the assignment's frame, if there is one
   * @throws ProtocolViolation where it has come back, and cannot have been sent from here as it is
   */
  giveToAnother(assignment: Assignment, frame: Frame = frameOf(assignment)): boolean {
    const { queue, isFixed } = assignment
    if (isFixed) return false
    const channel = this.#context.queues.choose(queue, this.#membersFor(assignment, frame))
    if (!channel) return false
    this.#context.queues.give(channel, assignment, frame, { kind: 'wait' })
    return true
  }

  /** Is there another member for the event of an assignment's frame, one that doesn't lag? */
  hasAnother(frame: Frame): boolean {
    const assignment = assignmentOf(frame)
    if (assignment.isFixed) return false
    return this.#membersFor(assignment, frame).some(({ destination: channel }) => !channel.outbox.isLagging)
  }

  /** Is the channel's other end among those who share the event of an assignment's frame? */
  isMember(channel: Channel, frame: Frame): boolean {
    const { type, queue } = assignmentOf(frame)
    return this.#membersOf(type, queue).some(({ destination }) => destination === channel)
  }

  /** Is an outbox that took the last event over its mark? */
  get isOverMark(): boolean {
    return this.#over.length > 0
  }

  /** What the sender of the last event has to wait for: slow peers, or a turn in which sockets are read and written. */
  pressure(): Promise<unknown> | undefined {
    if (this.#over.length > 0) return Promise.all(this.#over.map((outbox) => outbox.drained()))
    const isTurnOver = this.#turn.isFullFor(this.#size) || this.#encoder.isFullFor(this.#size)
    return isTurnOver ? this.#turn.next() : undefined
  }

  /** A promise of the number of endpoints: the same for the same, as nobody waits and so nobody needs one of its own. */
  handedTo(count: number): Promise<number> {
    const known = this.#handed[count]
    if (known) return known
    const promise = Promise.resolve(count)
    this.#handed[count] = promise
    return promise
  }

  /** Which member of each queue gets the event: one that takes frames of this size, where there is one. */
  #errands(
    queues: readonly Queue<Channel>[],
    type: string,
    event: EventFrame,
    options: BroadcastOptions = {},
  ): QueueDelivery[] {
    const { to, except, internal = false } = options
    const isFixed = internal || to !== undefined || except !== undefined
    return queues.flatMap(({ name: queue, members }) => {
      const frame = this.#encoder.assignment(event, { queue, type, isFixed })
      const taking = members.filter(({ destination: channel }) => takes(channel, frame))
      const channel = this.#context.queues.choose(queue, taking.length > 0 ? taking : members)
      if (!channel) return []
      checkLimits(type, frame, [channel])
      return { channel, queue, frame }
    })
  }

  /** Those who could have the event of an assignment's frame. */
  #membersFor({ type, queue }: Assignment, frame: Frame): readonly Member<Channel>[] {
    const boundary = boundaryOf(type)
    return this.#membersOf(type, queue).filter(
      ({ destination: channel }) =>
        !channel.outbox.isClosed && mayHave(channel, boundary, undefined) && takes(channel, frame),
    )
  }

  #membersOf(type: string, queue: string): readonly Member<Channel>[] {
    return this.#context.routes.select(type).queues.find(({ name }) => name === queue)?.members ?? []
  }

  #notePressure(channel: Channel): void {
    if (channel.outbox.needsDrain) this.#over.push(channel.outbox)
  }

  #checkRequirement(type: string, options: BroadcastOptions | undefined): void {
    if (!(options?.requireSubscriber ?? this.#context.requireSubscriber)) return
    throw new NoSubscribers(`expected a subscriber for ${type}, got none among those it is meant for`)
  }
}

const NONE: readonly never[] = []

/** An assignment that has come back, once more. */
function frameOf(assignment: Assignment): Frame {
  try {
    return encodeMessage(assignment)
  } catch (cause) {
    if (!(cause instanceof LahjaError)) throw cause
    throw new ProtocolViolation('malformed', `return: expected what was given, got: ${cause.message}`, { cause })
  }
}

function checkOptions({ to, except }: BroadcastOptions): void {
  if (to !== undefined) checkAudience('to', to)
  if (except !== undefined) checkAudience('except', except)
}

function meant(
  channels: readonly Channel[],
  boundary: Boundary | undefined,
  options: BroadcastOptions | undefined,
): readonly Channel[] {
  return channels.filter((channel) => mayHave(channel, boundary, options))
}

/** The queues with those members that are meant, as far as there are any. */
function sharing(
  queues: readonly Queue<Channel>[],
  boundary: Boundary | undefined,
  options: BroadcastOptions | undefined,
): readonly Queue<Channel>[] {
  return queues
    .map(({ name, members }) => ({
      name,
      members: members.filter(({ destination: channel }) => mayHave(channel, boundary, options)),
    }))
    .filter(({ members }) => members.length > 0)
}

/** What the newest of a key is to a queue is none of the others' business: each has its own. */
function handlingWithin(queue: string, handling: Handling): Handling {
  return handling.kind === 'latest' ? { kind: 'latest', key: `\0${queue}\0${handling.key}` } : handling
}

/** Is the endpoint meant, and does the type's boundary let it have the event? */
function mayHave(
  { identity, isOwn }: Channel,
  boundary: Boundary | undefined,
  { to, except, internal }: BroadcastOptions = {},
): boolean {
  if (!isOwn && (internal || (boundary !== undefined && !isWithin(boundary, identity)))) return false
  return isAddressed(identity, to, except)
}

/** The endpoints that get an event, whether they get it once or as members of queues too. */
function countOf(recipients: readonly Channel[], errands: readonly QueueDelivery[]): number {
  return new Set([...recipients, ...errands.map(({ channel }) => channel)]).size
}

/** Every endpoint takes frames of this size, so most events need no look at the channels. */
function checkLimits(type: string, frame: Frame, channels: readonly Channel[]): void {
  const body = frame.end - frame.start - PREFIX_BYTES
  if (body <= HANDSHAKE_FRAME) return
  for (const channel of channels) {
    if (takes(channel, frame)) continue
    const { sendLimit, identity } = channel
    throw new PayloadTooLarge(`event ${type}: expected at most ${sendLimit} bytes for ${identity.name}, got ${body}`)
  }
}

function takes({ sendLimit }: Channel, { start, end }: Frame): boolean {
  return end - start - PREFIX_BYTES <= sendLimit
}
