import { type Channel, fits, type Misfit, misfitError, misfitOf } from '../channel/channel'
import { referenceTo, travelsByReference } from '../channel/reference'
import { type Audience, checkAudience, copyAudience } from '../model/audience'
import { boundaryOf } from '../model/boundary'
import { checkBoolean, checkOptions, type OptionNames } from '../model/call-options'
import type { EventDefinition } from '../model/definition'
import { type LahjaError, NoSubscribers } from '../model/errors'
import type { EventHeaders } from '../model/event'
import { headersOf, NO_HEADERS } from '../model/headers'
import { checkHold } from '../model/hold'
import { HANDSHAKE_FRAME_BYTES } from '../model/limits'
import { type Overflow, type OverflowPolicy, policyOf } from '../model/overflow'
import { partitionKeyOf } from '../model/partition'
import type { Waits } from '../platform/waits'
import { type Content, NO_QUEUE, type QueueEvent } from '../queues/queue-event'
import type { WorkQueues } from '../queues/work-queues'
import { type Addressing, isEligible, noEndpoint } from '../routing/eligibility'
import type { Queue, Routes } from '../routing/routes'
import { EventEncoder, type EventFrame } from '../wire/event-encoder'
import type { Frame } from '../wire/frame'
import { headed } from '../wire/message'
import { packHeaders } from '../wire/packer'
import type { ShapeKeys } from '../wire/shape-limits'
import type { Slabs } from '../wire/slabs'
import type { EventCounts } from './event-count'
import { eligibleQueues, type QueueDelivery, type QueueSender } from './queue-sender'
import type { TurnBudget } from './turn-budget'

export interface BroadcastOptions {
  /** Only to these endpoints: a name, an array of names, or `{ group }`. Default: every subscriber. */
  readonly to?: Audience | undefined
  /** Not to these endpoints: a name, an array of names, or `{ group }`. Default: none. */
  readonly except?: Audience | undefined
  /** Only to this endpoint's own subscriptions. Default false. */
  readonly internal?: boolean | undefined
  /** Whether to throw `NoSubscribers` if no endpoint receives the event. Default: the endpoint's option. */
  readonly requireSubscriber?: boolean | undefined
  /**
   * Milliseconds, 1 to 2,147,483,647, for which the event waits here while no queue has a member that may have it. Default: the
   * `hold` of its definition.
   */
  readonly waitForMember?: number | undefined
  /**
   * Texts for its receivers beside the payload, as `event.headers`. Names are 1 to 64 of `a-z 0-9 . _ -`, beginning with a
   * letter or a digit; 4,096 bytes in all.
   * Default: none.
   */
  readonly headers?: EventHeaders | undefined
  /** Ends the wait for slow peers with `AbortError`. The event is sent all the same. */
  readonly signal?: AbortSignal | undefined
}

/** What the definition of a type says of its events. */
export type Manner = Pick<EventDefinition<unknown>, 'overflow' | 'redelivery' | 'hold' | 'partition'>

export interface BroadcasterContext {
  readonly frameLimit: number
  readonly overflow: Overflow
  readonly requireSubscriber: boolean
  readonly routes: Routes<Channel>
  readonly queues: QueueSender
  readonly workQueues: WorkQueues
  readonly slabs: Slabs
  readonly waits: Waits
  readonly turn: TurnBudget
  readonly report: (error: LahjaError) => void
  readonly counts: EventCounts
}

/** Something that took an event and that its sender should wait for: an outbox, or a queue. */
interface Slow {
  drained(): Promise<void>
}

const NONE: readonly never[] = []

/** Sends events: encodes each once, and puts it into the outbox of every receiver. */
export class Broadcaster {
  readonly #context: BroadcasterContext
  readonly #encoder: EventEncoder
  /** A resolved promise of each receiver count, shared by all broadcasts that need not wait. */
  readonly #counts: Promise<number>[] = []
  /** Receivers that have missed an event that they don't take, by the reason. */
  readonly #unfit: Readonly<Record<Misfit, WeakSet<Channel>>> = { size: new WeakSet(), bigints: new WeakSet() }
  /** Nesting depth: getters of a payload and key functions may broadcast while it is being sent. */
  #depth = 0
  /** Bytes of the last event. */
  #size = 0
  /** What took the last event and its sender should wait for. */
  #slow: readonly Slow[] = NONE

  constructor(context: BroadcasterContext) {
    this.#context = context
    this.#encoder = new EventEncoder(context.frameLimit, context.slabs)
  }

  /**
   * Sends an event and waits for slow peers, or for the next turn once this one's budget is spent.
   *
   * @returns the number of endpoints that it was sent to
   * @throws UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument: it was not sent
   */
  broadcast(type: string, payload: unknown, options?: BroadcastOptions, manner?: Manner): Promise<number> {
    const count = this.#send(type, payload, options, manner)
    const pressure = count === 0 ? this.#context.turn.spendCall() : this.#pressure()
    if (!pressure) return this.#resolved(count)
    const signal = options?.signal
    if (!signal) return pressure.then(() => count)
    return this.#context.waits.settle('broadcast', { signal, outlivesEnd: true }, pressure).then(() => count)
  }

  /**
   * Sends an event. Returns false if an outbox is over its high-water mark.
   *
   * @throws UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument: it was not sent
   */
  broadcastNowait(type: string, payload: unknown, options?: BroadcastOptions, manner?: Manner): boolean {
    this.#send(type, payload, options, manner)
    return this.#slow.length === 0
  }

  #send(type: string, payload: unknown, options?: BroadcastOptions, manner?: Manner): number {
    // While an outer event is being encoded, its slabs are still in use.
    if (this.#depth === 0) this.#encoder.releaseSlabs()
    this.#depth++
    try {
      return this.#fanOut(type, payload, options, manner)
    } finally {
      this.#depth--
    }
  }

  #fanOut(type: string, payload: unknown, options?: BroadcastOptions, manner?: Manner): number {
    const { routes, queues } = this.#context
    const route = routes.select(type)
    const headers = options === undefined ? NO_HEADERS : checkBroadcastOptions(options)
    const isForAll = options === undefined && boundaryOf(type) === undefined
    const eligible = isForAll
      ? route.recipients
      : route.recipients.filter((channel) => isEligible(type, channel, options))
    const shared = isForAll || route.queues.length === 0 ? route.queues : eligibleQueues(route.queues, type, options)
    const key = manner?.partition && partitionKeyOf(manner.partition, type, payload)
    const isHeld = shared.length === 0 && holdOf(options, manner) !== undefined
    if (eligible.length + shared.length === 0 && !isHeld)
      return this.#noReceivers(type, payload, headers, options, manner)

    // Queues with pull members keep their events until one has room.
    const kept = shared.every(isKeeping) ? shared : shared.filter(isKeeping)
    const assigned = kept === shared ? NONE : shared.filter((queue) => !isKeeping(queue))
    const isKept = isHeld || kept.length > 0
    if (!isForAll && travelsByReference(type)) {
      const policy = policyOf(manner?.overflow ?? this.#context.overflow, type, payload)
      const deliveries = queues.prepare(assigned, type, options, (assignment) => {
        return referenceTo({ kind: 'assign', ...assignment, payload, ...headed(headers) })
      })
      const work = isKept
        ? this.#workOf(kept, type, options, key, { kind: 'reference', payload }, headers, policy, manner)
        : NONE
      return this.#sendTo(
        type,
        eligible,
        deliveries,
        work,
        referenceTo({ kind: 'event', type, payload, ...headed(headers) }),
        policy,
      )
    }
    // What a queue keeps of a payload may go to another member, which may not know its shapes.
    const receivers = shared.length === 0 && !isHeld ? eligible : undefined
    const frame = this.#encoder.event(type, payload, packHeaders(headers), receivers)
    const shapes = frame.savedBytes > 0 ? this.#encoder.shapes : NONE
    const mayNotFit = frame.end - frame.start + frame.savedBytes > HANDSHAKE_FRAME_BYTES || frame.hasBigints
    const recipients = mayNotFit ? eligible.filter((channel) => fits(channel, frame)) : eligible
    const deliveries =
      assigned.length === 0
        ? NONE
        : queues.prepare(assigned, type, options, (assignment) => this.#encoder.assignment(frame, assignment))
    const policy = policyOf(manner?.overflow ?? this.#context.overflow, type, payload)
    const work = isKept ? this.#workOf(kept, type, options, key, contentIn(frame), headers, policy, manner) : NONE
    if (recipients.length < eligible.length || deliveries.length + work.length < shared.length) {
      const served = new Set([...deliveries, ...work].map(({ queue }) => queue))
      const missing = shared.filter(({ name }) => !served.has(name))
      this.#skipUnfit(type, frame, eligible, missing, recipients.length + served.size > 0)
    }
    return this.#sendTo(type, recipients, deliveries, work, frame, policy, shapes)
  }

  /** The event for each queue with a member that takes it, or for no queue if there is none. */
  #workOf(
    queues: readonly Queue<Channel>[],
    type: string,
    options: BroadcastOptions | undefined,
    partition: string | undefined,
    content: Content,
    headers: EventHeaders,
    policy: OverflowPolicy,
    manner: Manner | undefined,
  ): readonly QueueEvent[] {
    const { workQueues } = this.#context
    const addressing = options && addressingOf(options)
    const key = policy.kind === 'latest' ? policy.key : undefined
    const terms = { key, redelivery: manner?.redelivery, hold: holdOf(options, manner), partition, headers }
    if (queues.length === 0) return [workQueues.eventOf(NO_QUEUE, type, addressing, content, terms)]
    const work: QueueEvent[] = []
    for (const queue of queues) {
      const event = workQueues.eventOf(queue.name, type, addressing, content, terms)
      if (workQueues.isTakenBy(queue, event)) work.push(event)
    }
    return work
  }

  /** Puts a frame into the outboxes of its receivers. Returns the number of endpoints that they are. */
  #sendTo(
    type: string,
    recipients: readonly Channel[],
    deliveries: readonly QueueDelivery[],
    work: readonly QueueEvent[],
    frame: Frame,
    policy: OverflowPolicy,
    shapes: readonly ShapeKeys[] = NONE,
  ): number {
    const { queues, workQueues } = this.#context
    const size = frame.end - frame.start
    this.#context.turn.spend(size)
    let slow: Slow[] | undefined
    for (const channel of recipients) {
      if (shapes.length > 0) channel.outbox.tellShapes(shapes)
      if (!channel.send(frame, policy)) continue
      slow ??= []
      slow.push(channel.outbox)
    }
    for (const delivery of deliveries) {
      if (!queues.give(delivery, withinQueue(delivery.queue, policy))) continue
      slow ??= []
      slow.push(delivery.channel.outbox)
    }
    for (const event of work) {
      const queue = workQueues.offer(event, policy)
      if (!queue) continue
      slow ??= []
      slow.push(queue)
    }
    // Last: a listener that was called while the event was sent may have broadcast others.
    this.#size = size
    this.#slow = slow ?? NONE
    const sentTo = work.length + (deliveries.length === 0 ? recipients.length : countEndpoints(recipients, deliveries))
    const count = this.#context.counts.of(type)
    count.sent++
    count.deliveries += sentTo
    count.sentBytes += sentTo * size
    return sentTo
  }

  /**
   * Leaves a gap at each receiver that doesn't take a frame of this size, or with integers over 64 bits, and reports it:
   * once for a peer and reason, and each event that a whole queue misses.
   *
   * @throws PayloadTooLarge, UnserializablePayload if there is no other receiver
   */
  #skipUnfit(
    type: string,
    frame: Frame,
    eligible: readonly Channel[],
    queues: readonly Queue<Channel>[],
    isSent: boolean,
  ): void {
    const subject = `event ${type}`
    const unfit = eligible.flatMap((channel) => {
      const misfit = misfitOf(channel, frame)
      return misfit ? { channel, misfit } : []
    })
    const missing = queues.flatMap(({ pushMembers, pullMembers }) => [...pushMembers, ...pullMembers].slice(0, 1))
    const [first] = [...unfit.map(({ channel }) => channel), ...missing.map(({ destination }) => destination)]
    if (first && !isSent) throw misfitError(subject, frame, first)
    for (const { channel, misfit } of unfit) {
      channel.outbox.skip(frame)
      if (!this.#unfit[misfit].has(channel)) this.#context.report(misfitError(subject, frame, channel))
      this.#unfit[misfit].add(channel)
    }
    for (const { destination } of missing) this.#context.report(misfitError(subject, frame, destination))
  }

  /**
   * The payload and its key are checked all the same: whether they are wrong must not depend on who listens.
   *
   * @throws UnserializablePayload, PayloadTooLarge, InvalidArgument; NoSubscribers where a subscriber is required
   */
  #noReceivers(
    type: string,
    payload: unknown,
    headers: EventHeaders,
    options?: BroadcastOptions,
    manner?: Manner,
  ): number {
    if (!travelsByReference(type)) this.#encoder.check(type, payload, packHeaders(headers))
    policyOf(manner?.overflow ?? this.#context.overflow, type, payload)
    if (options?.requireSubscriber ?? this.#context.requireSubscriber) {
      const advice = 'wait with waitUntilAnyEndpointSubscribedTo, or leave requireSubscriber out'
      const text = `event ${type} was not sent: ${noEndpoint(type, options)} subscribes to it; ${advice}`
      throw new NoSubscribers(text)
    }
    this.#slow = NONE
    this.#size = 0
    this.#context.counts.of(type).sent++
    return 0
  }

  /** The wait of the last event's sender: for slow peers, or for the next turn, so that sockets are served. */
  #pressure(): Promise<unknown> | undefined {
    if (this.#slow.length > 0) return Promise.all(this.#slow.map((each) => each.drained()))
    const { turn } = this.#context
    const isTurnOver = turn.isFullFor(this.#size) || this.#encoder.isFullFor(this.#size)
    return isTurnOver ? turn.next() : undefined
  }

  #resolved(count: number): Promise<number> {
    const known = this.#counts[count]
    if (known) return known
    const promise = Promise.resolve(count)
    this.#counts[count] = promise
    return promise
  }
}

const OPTIONS: OptionNames<BroadcastOptions> = {
  to: true,
  except: true,
  internal: true,
  requireSubscriber: true,
  waitForMember: true,
  headers: true,
  signal: true,
}

/** Returns a copy of the headers. */
function checkBroadcastOptions(options: BroadcastOptions): EventHeaders {
  checkOptions('broadcast', options, OPTIONS)
  const { to, except, internal, requireSubscriber, waitForMember } = options
  if (waitForMember !== undefined) checkHold('waitForMember', waitForMember)
  checkBoolean('internal', internal)
  checkBoolean('requireSubscriber', requireSubscriber)
  if (to !== undefined) checkAudience('to', to)
  if (except !== undefined) checkAudience('except', except)
  return headersOf(options.headers)
}

/** For how many milliseconds an event waits for a queue with a member that may have it. */
function holdOf(options: BroadcastOptions | undefined, manner: Manner | undefined): number | undefined {
  return options?.waitForMember ?? manner?.hold
}

/** Whether it has pull members, so that events are kept until one has room. */
function isKeeping({ pullMembers }: Queue<Channel>): boolean {
  return pullMembers.length > 0
}

/** Who may have an event, copied: the program may change what it has passed. Undefined for everybody. */
function addressingOf({ to, except, internal }: BroadcastOptions): Addressing | undefined {
  if (to === undefined && except === undefined && internal !== true) return undefined
  return {
    ...(to !== undefined && { to: copyAudience(to) }),
    ...(except !== undefined && { except: copyAudience(except) }),
    ...(internal === true && { internal }),
  }
}

/** A copy of the payload in a frame, which is kept for longer than the frame. */
function contentIn({ bytes, payloadStart, end, hasBigints, headersBytes = 0 }: EventFrame): Content {
  return { kind: 'packed', bytes: Buffer.from(bytes.subarray(payloadStart, end - headersBytes)), hasBigints }
}

/** `latest` replaces events within a queue, never those of another queue or of plain subscribers. */
function withinQueue(queue: string, policy: OverflowPolicy): OverflowPolicy {
  return policy.kind === 'latest' ? { kind: 'latest', key: `\0${queue}\0${policy.key}` } : policy
}

/** An endpoint that receives an event in several ways counts once. */
function countEndpoints(recipients: readonly Channel[], deliveries: readonly QueueDelivery[]): number {
  return new Set([...recipients, ...deliveries.map(({ channel }) => channel)]).size
}
