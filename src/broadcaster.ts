import { type Audience, checkAudience, isAddressed } from './audience'
import { type Boundary, boundaryOf, isWithin } from './boundary'
import type { Channel } from './channel'
import type { Clock } from './clock'
import { encodeMessage } from './codec'
import { Encoder, type EventFrame } from './encoder'
import { NoSubscribers, PayloadTooLarge } from './errors'
import { type Frame, PREFIX_BYTES } from './frame'
import { HANDSHAKE_FRAME } from './limits'
import type { Assignment } from './message'
import type { Outbox } from './outbox'
import { handlingOf, type Overflow } from './overflow'
import type { Queues } from './queues'
import type { Queue, Routes } from './routes'

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

/** Bytes broadcast in one turn of the event loop, after which the sender is made to wait for the next. */
const TURN_BYTES = 64 * 1024

export interface BroadcasterContext {
  readonly clock: Clock
  readonly frameLimit: number
  readonly overflow: Overflow
  readonly requireSubscriber: boolean
  readonly routes: Routes
  readonly queues: Queues
}

/** An event's way to one member of a queue. */
interface Errand {
  readonly channel: Channel
  readonly queue: string
}

/** The way out of an event: who gets it, encoded once, into every outbox at once. */
export class Broadcaster {
  readonly #context: BroadcasterContext
  readonly #encoder: Encoder
  readonly #handed: Promise<number>[] = []
  #turnBytes = 0
  #turn: Promise<void> | undefined
  #over: Outbox[] = []

  constructor(context: BroadcasterContext) {
    this.#context = context
    this.#encoder = new Encoder(context.frameLimit)
  }

  /**
   * Hands an event over; afterwards `pressure` says what to wait for.
   *
   * @returns the number of endpoints it was handed to
   * @throws UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument; then nobody has got it
   */
  send(type: string, payload: unknown, options: BroadcastOptions | undefined, overflow: Overflow | undefined): number {
    const route = this.#context.routes.select(type)
    const boundary = boundaryOf(type)
    if (options) checkOptions(options)
    const isForAll = options === undefined && boundary === undefined
    const recipients = isForAll ? route.recipients : meant(route.recipients, boundary, options)
    const errands = route.queues.length === 0 ? NONE : this.#chooseMembers(route.queues, boundary, options)
    if (this.#over.length > 0) this.#over = []
    if (recipients.length + errands.length === 0) {
      this.#checkRequirement(type, options)
      return 0
    }
    const frame = this.#encoder.event(type, payload)
    checkLimits(type, frame, recipients)
    const assignments = errands.length === 0 ? NONE : this.#encodeFor(errands, type, frame, options)
    const handling = handlingOf(overflow ?? this.#context.overflow, type, payload)
    for (const channel of recipients) channel.send(frame, handling)
    for (const { channel, frame } of assignments) this.#context.queues.give(channel, frame, handling)
    if (handling.kind === 'wait') {
      for (const channel of recipients) this.#notePressure(channel)
      for (const { channel } of assignments) this.#notePressure(channel)
    }
    this.#spend(frame.end - frame.start)
    return errands.length === 0 ? recipients.length : countOf(recipients, errands)
  }

  /**
   * Gives an event, whose member of a queue is gone, to another. Returns whether there is one that may have it.
   *
   * @param frame the assignment's frame, if there is one
   */
  giveToAnother(assignment: Assignment, frame: Frame = encodeMessage(assignment)): boolean {
    const { queue, type, isFixed } = assignment
    const found = this.#context.routes.select(type).queues.find(({ name }) => name === queue)
    if (!found || isFixed) return false
    const boundary = boundaryOf(type)
    const [errand] = this.#chooseMembers([found], boundary, undefined)
    if (!errand || frame.end - frame.start - PREFIX_BYTES > errand.channel.sendLimit) return false
    this.#context.queues.give(errand.channel, frame, { kind: 'wait' })
    return true
  }

  /** Is an outbox that took the last event over its mark? */
  get isOverMark(): boolean {
    return this.#over.length > 0
  }

  /** What the sender of the last event has to wait for: slow peers, or a turn in which sockets are read and written. */
  pressure(): Promise<unknown> | undefined {
    if (this.#over.length > 0) return Promise.all(this.#over.map((outbox) => outbox.relief()))
    return this.#turnBytes >= TURN_BYTES ? this.#turn : undefined
  }

  /** A promise of the number of endpoints: the same for the same, as nobody waits and so nobody needs one of its own. */
  handedTo(count: number): Promise<number> {
    const known = this.#handed[count]
    if (known) return known
    const promise = Promise.resolve(count)
    this.#handed[count] = promise
    return promise
  }

  #chooseMembers(
    queues: readonly Queue[],
    boundary: Boundary | undefined,
    options: BroadcastOptions | undefined,
  ): readonly Errand[] {
    const errands: Errand[] = []
    for (const { name, members } of queues) {
      const channel = this.#context.queues.choose(
        name,
        members.filter(({ channel }) => mayHave(channel, boundary, options)),
      )
      if (channel) errands.push({ channel, queue: name })
    }
    return errands
  }

  #encodeFor(errands: readonly Errand[], type: string, event: EventFrame, options: BroadcastOptions = {}) {
    const { to, except, internal = false } = options
    const isFixed = internal || to !== undefined || except !== undefined
    return errands.map(({ channel, queue }) => {
      const frame = this.#encoder.assignment(event, { queue, type, isFixed })
      checkLimits(type, frame, [channel])
      return { channel, frame }
    })
  }

  #notePressure(channel: Channel): void {
    if (channel.outbox.isOverMark) this.#over.push(channel.outbox)
  }

  #checkRequirement(type: string, options: BroadcastOptions | undefined): void {
    if (!(options?.requireSubscriber ?? this.#context.requireSubscriber)) return
    throw new NoSubscribers(`expected a subscriber for ${type}, got none among those it is meant for`)
  }

  #spend(bytes: number): void {
    this.#turnBytes += bytes
    this.#turn ??= new Promise((resolve) => {
      this.#context.clock.defer(() => {
        this.#turnBytes = 0
        this.#turn = undefined
        resolve()
      })
    })
  }
}

const NONE: readonly never[] = []

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
function countOf(recipients: readonly Channel[], errands: readonly Errand[]): number {
  return new Set([...recipients, ...errands.map(({ channel }) => channel)]).size
}

/** Every endpoint takes frames of this size, so most events need no look at the channels. */
function checkLimits(type: string, frame: Frame, channels: readonly Channel[]): void {
  const body = frame.end - frame.start - PREFIX_BYTES
  if (body <= HANDSHAKE_FRAME) return
  for (const { sendLimit, identity } of channels) {
    if (body <= sendLimit) continue
    throw new PayloadTooLarge(`event ${type}: expected at most ${sendLimit} bytes for ${identity.name}, got ${body}`)
  }
}
