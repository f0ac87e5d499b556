import type { Channel } from '../channel/channel'
import { Inbound } from '../channel/inbound'
import { Liveness } from '../channel/liveness'
import type { MemoryBudget } from '../channel/memory-budget'
import { Outbox } from '../channel/outbox'
import { ReceiveWindow } from '../channel/receive-window'
import {
  ConnectionFailed,
  type LahjaError,
  LinkError,
  LinkRefused,
  OutboxOverflow,
  ProtocolViolation,
  Unauthenticated,
} from '../model/errors'
import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { type Interest, isQueued } from '../model/interest'
import { HANDSHAKE_FRAME_BYTES, type Limits } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import { matches } from '../model/pattern'
import type { Address } from '../platform/address'
import { judgeAfter, type Timer } from '../platform/clock'
import type { Connection } from '../platform/transport'
import type { World } from '../platform/world'
import { encodeMessage } from '../wire/codec'
import type { Frame } from '../wire/frame'
import {
  type ChannelMessage,
  type Goodbye,
  type GoodbyeReason,
  type Hello,
  isBulk,
  type Message,
  type MessageOf,
} from '../wire/message'
import type { EndpointInfo } from './agreement'
import { Handshake, type HandshakeContext } from './handshake'
import { type InterestChange, InterestExchange, type Milestone } from './interest-exchange'
import { dismissal, endOfStream, failure, type LinkEnding, unexpected } from './link-ending'

/** Length of a goodbye's text, so that it fits into a frame before the handshake. */
const GOODBYE_CHARACTERS = 1000

const UNKNOWN: EndpointInfo = { name: '', id: '', groups: [], pid: 0, frameLimit: 0, window: 0, requestLimit: 0 }

/**
 *     handshake ──accept──▶ introducing ──ready──▶ up ──leave──▶ leaving
 *
 * While introducing, each side tells its interest, then `ready`. Any phase can end in closed.
 */
type Phase = 'handshake' | 'introducing' | 'up' | 'leaving' | 'closed'

/** How a peer keeps up. One that is both unresponsive and lagging is `unresponsive`. */
export type LinkState = 'connected' | 'lagging' | 'unresponsive'

/**
 * A change of pace. `slow`: the peer reads, but has held senders up. `responsive`: an unresponsive peer has sent
 * something. `recovered`: the state is `connected` again, so a peer that lags when it becomes responsive recovers later.
 */
export type PaceChange = 'slow' | 'lagging' | 'unresponsive' | 'responsive' | 'recovered'

/** What arrives from the peer once a link is up. */
export interface Traffic {
  event(link: Link, type: string, payload: unknown, headers: EventHeaders, bytes: number): void
  /** A message between the subscriptions and requests of the two endpoints. */
  message(link: Link, message: ChannelMessage, bytes: number): void
  /** The peer's interest has changed. */
  interest(link: Link, change: InterestChange): void
  gap(link: Link, count: number): void
  pace(link: Link, change: PaceChange): void
  /** There is room again for requests and responses to the peer. */
  bulkDrained(link: Link): void
  /** Whether events wait here for a peer that is about to leave. */
  hasWaitingFor(link: Link): boolean
  /** Resolves when none wait, or the link has ended. */
  nothingWaitsFor(link: Link): Promise<void>
}

/** The life of a link, for its owner. */
export interface LinkEvents {
  /** The handshake has shown who the peer is: call `accept` or `refuse`. */
  identified(link: Link, peer: Hello): void
  up(link: Link): void
  closed(link: Link, ending: LinkEnding): void
}

/** What all links of an endpoint share. */
export interface LinkContext extends HandshakeContext, Pick<World, 'clock' | 'debug'> {
  readonly limits: Limits
  readonly budget: MemoryBudget
  /** Called with the type of each event for a peer that is dropped. */
  readonly onDropped?: ((type: string) => void) | undefined
  readonly traffic: Traffic
  readonly events: LinkEvents
  /** This endpoint's interest at the moment. */
  readonly interest: () => Iterable<Interest>
}

/** One connection with one peer, from the handshake to the goodbye. */
export class Link implements Channel {
  readonly isOwn = false
  /** Once the peer is known. A property, as it is read for each event. */
  takesRecords = false
  readonly outbox: Outbox
  readonly receiveWindow: ReceiveWindow
  readonly #context: LinkContext
  readonly #connection: Connection
  readonly #expected: Address | undefined
  readonly #handshake: Handshake
  readonly #deadline: Timer
  readonly #inbound: Inbound
  readonly #exchange: InterestExchange
  readonly #liveness: Liveness
  #phase: Phase = 'handshake'
  /** The number of the peer's last change, while there are events on their way to it. */
  #incomplete: number | undefined
  /**
   * Sequence number of the interest change sent behind our returned events. Its acknowledgement shows that the peer has
   * read them. Infinity until one is sent.
   */
  #returnsReadBy = 0
  #isLeaving = false

  /** @param expected the address that was dialled; undefined for an incoming connection */
  constructor(context: LinkContext, connection: Connection, expected: Address | undefined) {
    const { clock, limits, budget, traffic, onDropped } = context
    this.#context = context
    this.#connection = connection
    this.#expected = expected
    this.#liveness = new Liveness(limits.silentPings)
    this.outbox = new Outbox(
      { connection, clock, limits, budget, onDropped },
      {
        lagging: () => traffic.pace(this, 'lagging'),
        recovered: () => this.#tellRecovered(),
        slow: () => traffic.pace(this, 'slow'),
        overflowed: () => clock.nextTurn(() => this.#onOverflow()),
        bulkDrained: () => traffic.bulkDrained(this),
      },
    )
    this.receiveWindow = new ReceiveWindow(limits.windowBytes, clock, (bytes, events) =>
      this.sendMessage({ kind: 'credit', bytes, events }),
    )
    this.#exchange = new InterestExchange(
      (message) => this.sendMessage(message),
      () => this.sendLimit,
      limits.interests,
    )
    this.#handshake = new Handshake(context, expected, {
      send: (message) => this.sendMessage(message),
      decide: (peer) => this.#onIdentified(peer),
    })
    // Events don't pass through `#onMessage`: they are the hot path, decoded in place without an object for a message,
    // and `takesEvents` already says in which phase they are legal. Those in other forms of msgpack come as messages.
    this.#inbound = new Inbound(HANDSHAKE_FRAME_BYTES, false, this.receiveWindow, {
      event: (type, payload, headers, bytes) => traffic.event(this, type, payload, headers, bytes),
      message: (message, bytes) => this.#onMessage(message, bytes),
    })
    this.#deadline = judgeAfter(clock, limits.handshakeTimeout, () => this.#onDeadline())
    connection.attach({
      data: (chunk) => this.#onData(chunk),
      end: () => this.#onEnd(),
      closed: (cause) => this.#onDisconnect(cause),
    })
    context.debug?.(`${this.#label}: handshake begins`)
    this.#handshake.begin()
  }

  /** The peer's hello, once it has arrived. */
  get peer(): Hello | undefined {
    return this.#handshake.peer
  }

  get identity(): EndpointInfo {
    return this.#handshake.peer ?? UNKNOWN
  }

  /** Whether the peer has proved that it knows the secret, if there is one. */
  get isProven(): boolean {
    return this.#handshake.isProven
  }

  get isUp(): boolean {
    return this.#phase === 'up'
  }

  get isUnresponsive(): boolean {
    return this.#liveness.isUnresponsive
  }

  get heard(): number {
    return this.#liveness.activities
  }

  get state(): LinkState {
    if (this.isUnresponsive) return 'unresponsive'
    return this.outbox.isLagging ? 'lagging' : 'connected'
  }

  /** The peer's interest. */
  get interest(): Iterable<Interest> {
    return this.#exchange.theirs
  }

  /** Whether the peer may still miss something: events, returned events or responses. */
  get owes(): boolean {
    const { queuedEvents, unconfirmedEvents, hasBulk } = this.outbox
    return queuedEvents > 0 || unconfirmedEvents > 0 || hasBulk || this.#hasUnreadReturns
  }

  get #hasUnreadReturns(): boolean {
    return this.#returnsReadBy > this.#exchange.lastAcknowledged
  }

  get sendLimit(): number {
    return this.#handshake.agreement?.sendLimit ?? HANDSHAKE_FRAME_BYTES
  }

  get takesBigints(): boolean {
    return this.#handshake.agreement?.takesBigints ?? false
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  get hasUnsubscribedAll(): boolean {
    return this.#exchange.hasUnsubscribedAll
  }

  get requestLimit(): number {
    return this.#handshake.agreement?.requestLimit ?? 0
  }

  accepts(type: string): boolean {
    return this.peer?.accepts?.some((pattern) => matches(pattern, type)) ?? true
  }

  /** Accepts the peer and sends it our interest. */
  accept(): void {
    if (this.#phase !== 'handshake' || !this.#handshake.accept()) return
    this.#phase = 'introducing'
    this.#inbound.limit = this.#context.limits.frameBytes
    this.#exchange.announceAll(this.#context.interest())
    this.sendMessage({ kind: 'ready' })
  }

  /** Closes the link and tells the peer the reason. */
  refuse(reason: GoodbyeReason, text: string): void {
    this.#sendGoodbye(reason, text)
    this.#close({ kind: 'refused', reason, cause: new LinkRefused(reason, text) })
  }

  #onIdentified(peer: Hello): void {
    this.outbox.window = peer.window
    this.takesRecords = this.#handshake.agreement?.takesRecords ?? false
    this.#context.debug?.(`${this.#label}: identified`)
    this.#context.events.identified(this, peer)
  }

  #onReady(): void {
    this.#deadline.cancel()
    this.#inbound.takesEvents = true
    this.#phase = 'up'
    this.#context.debug?.(`${this.#label}: link is up`)
    this.#context.events.up(this)
  }

  #onDeadline(): void {
    if (this.#phase === 'up' || this.#phase === 'leaving') return
    const { handshakeTimeout } = this.#context.limits
    const text = `the handshake was not finished within ${handshakeTimeout} ms`
    this.#onViolation(new ProtocolViolation('handshake-timeout', text))
  }

  send(frame: Frame, policy: OverflowPolicy): boolean {
    return this.outbox.push(frame, policy)
  }

  sendMessage(message: Message): void {
    this.outbox.pushMessage(message, this.sendLimit, this.takesBigints ? undefined : this.identity.name)
    if (message.kind === 'return') this.#returnsReadBy = Number.POSITIVE_INFINITY
    if (message.kind === 'subscribe' || message.kind === 'unsubscribe') this.#onChangeSent(message)
  }

  /** A change overtakes the bulk messages that are queued, unless it is one, but none that have been written. */
  #onChangeSent(change: InterestChange): void {
    const isBehindReturns = isBulk(change) || !this.outbox.hasBulk
    if (isBehindReturns) this.#returnsReadBy = Math.min(this.#returnsReadBy, change.sequence)
  }

  sendBulk(frame: Frame, isOrdered?: boolean): void {
    this.outbox.pushBulk(frame, isOrdered)
  }

  /** Tells the peer of a change of our interest. */
  announce(change: InterestChange['kind'], interest: Interest): void {
    if (this.#phase === 'introducing' || this.#phase === 'up') this.#exchange.announce(change, interest)
  }

  /** The peer has acknowledged all changes announced so far, or the link has ended. */
  get acknowledged(): Milestone {
    return this.#exchange.acknowledged
  }

  /** Whether the peer has acknowledged all changes. */
  get isAcknowledged(): boolean {
    return this.#exchange.isAcknowledged
  }

  /**
   * Tells the peer that nothing more is wanted.
   *
   * @param mayGetMore whether it may return events
   */
  unsubscribeAll(interests: Iterable<Interest>, mayGetMore: boolean): void {
    if (this.#phase === 'introducing' || this.#phase === 'up') this.#exchange.unsubscribeAll(interests, mayGetMore)
  }

  /** Everything has arrived that the peer had for us when we withdrew, or the link has ended. */
  get completed(): Milestone {
    return this.#exchange.completed
  }

  /**
   * Called every ping interval. Pings a silent peer; silence never ends a link. Asks a peer whether it has read the events
   * returned to it.
   */
  checkLiveness(): void {
    if (this.#phase !== 'up') return
    if (this.#returnsReadBy === Number.POSITIVE_INFINITY && !this.outbox.hasBulk) this.#exchange.announceNothing()
    const { isSilent, becameUnresponsive } = this.#liveness.check()
    if (isSilent) this.sendMessage({ kind: 'ping' })
    if (becameUnresponsive) this.#context.traffic.pace(this, 'unresponsive')
  }

  #onData(chunk: Buffer): void {
    if (this.#liveness.onActivity()) {
      this.#context.traffic.pace(this, 'responsive')
      this.#tellRecovered()
    }
    try {
      this.#inbound.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolViolation || error instanceof Unauthenticated)) throw error
      if (this.#phase === 'leaving') this.#inbound.stop()
      else this.#onViolation(error)
    }
  }

  #onMessage(message: Message, bytes: number): void {
    if (message.kind === 'goodbye') return this.#onGoodbye(message)
    switch (this.#phase) {
      case 'handshake':
        return this.#handshake.onMessage(message)
      case 'introducing':
        if (message.kind === 'ready') return this.#onReady()
        if (message.kind === 'subscribe') return this.#onInterest(message)
        if (message.kind === 'acknowledge') return this.#dispatch(message, bytes)
        break
      case 'up':
        if (!isTraffic(message)) break
        return this.#dispatch(message, bytes)
      case 'leaving':
        // The peer reports what became of the events it was given; no other endpoint can.
        if (isReport(message)) this.#dispatch(message, bytes)
        return
      case 'closed':
        break
    }
    throw unexpected(message, this.#phase)
  }

  #dispatch(message: TrafficMessage, bytes: number): void {
    const { traffic } = this.#context
    switch (message.kind) {
      case 'event':
        return traffic.event(this, message.type, message.payload, message.headers ?? NO_HEADERS, bytes)
      case 'subscribe':
      case 'unsubscribe':
        return this.#onInterest(message)
      case 'acknowledge':
        this.#exchange.onAcknowledge(message.sequence, message.isComplete)
        // Tells the peer that its last gaps have been read.
        if (message.isComplete) this.sendMessage({ kind: 'credit', bytes: 0, events: 0 })
        return
      case 'gap':
        return traffic.gap(this, message.count)
      case 'credit':
        return this.outbox.credit(message.bytes, message.events)
      case 'ping':
        this.sendMessage({ kind: 'pong' })
        return
      case 'pong':
        return
      default:
        return traffic.message(this, message, bytes)
    }
  }

  #onInterest(change: InterestChange): void {
    const interests = this.#exchange.apply(change)
    if (change.kind === 'unsubscribe' && change.isLast !== undefined) this.#isLeaving = true
    // A new member may return events as long as it does not know that nobody takes them.
    if (interests.some(isQueued)) this.#exchange.tellOfWithdrawal()
    // A peer that has not joined yet has its interest read from `interest` when the link is up.
    if (this.#phase === 'up') this.#context.traffic.interest(this, { ...change, interests })
    if (change.kind === 'unsubscribe' && change.isLast) this.#completeFor(change.sequence)
    else this.#exchange.acknowledge(change.sequence)
  }

  /**
   * The peer is leaving. Acknowledges at once, saying whether anything still waits for it; if so, acknowledges again when it
   * has been sent.
   */
  #completeFor(sequence: number): void {
    const isComplete = this.outbox.isEmpty && !this.outbox.hasBulk && !this.#context.traffic.hasWaitingFor(this)
    this.#exchange.acknowledge(sequence, isComplete)
    if (isComplete) return
    const isWaiting = this.#incomplete !== undefined
    this.#incomplete = sequence
    if (!isWaiting) void this.#complete()
  }

  /** One wait at a time, for the last such change: a peer may send many. */
  async #complete(): Promise<void> {
    const { traffic } = this.#context
    let sequence: number | undefined
    while (this.isUp && (sequence !== this.#incomplete || traffic.hasWaitingFor(this))) {
      sequence = this.#incomplete
      if (traffic.hasWaitingFor(this)) await traffic.nothingWaitsFor(this)
      await this.outbox.flushed()
    }
    this.#incomplete = undefined
    if (this.isUp && sequence !== undefined) this.#exchange.acknowledge(sequence, true)
  }

  #tellRecovered(): void {
    if (this.state === 'connected') this.#context.traffic.pace(this, 'recovered')
  }

  /**
   * Sends everything that is queued, then a goodbye, and reads until the peer closes its side: queue events may come
   * back.
   */
  async leave(): Promise<void> {
    if (this.#phase !== 'up') return this.refuse('closing', 'the endpoint is closing')
    await this.outbox.flushed()
    if (this.#phase !== 'up') return
    this.#sendGoodbye('left', 'the endpoint has closed')
    this.#connection.end()
    this.#inbound.takesEvents = false
    this.outbox.close()
    this.#phase = 'leaving'
  }

  /** Closes the link at once. Returns the number of events that were not delivered. */
  abandon(): number {
    const { undelivered, unconfirmed } = this.outbox.close()
    this.#close({ kind: 'done', isRead: false })
    return undelivered + unconfirmed
  }

  #onGoodbye({ reason, text, proof }: Goodbye): void {
    this.#context.debug?.(`${this.#label}: received goodbye ${reason}: ${text}`)
    const isLeaving = reason === 'left' || reason === 'closing'
    if (this.#phase === 'leaving') return isLeaving ? this.#finish() : undefined
    if (proof) this.#handshake.verifyProof(proof)
    if (this.#phase === 'up' && isLeaving) return this.#finish()
    this.#fail(dismissal(reason, text))
  }

  /** The peer has left, perhaps when we did too, and reads until this side is closed. */
  #finish(): void {
    this.outbox.flushMessages()
    this.#connection.linger(this.#context.limits.handshakeTimeout)
    this.#close({ kind: 'left', ...this.outbox.close() })
  }

  #onEnd(): void {
    if (this.#phase === 'leaving') return this.#close({ kind: 'done', isRead: true })
    this.#fail(endOfStream(this.#inbound.heldBytes))
  }

  #onDisconnect(cause: Error | undefined): void {
    const what = cause ? `the connection broke: ${cause.message}` : 'the connection was closed'
    const failed = new ConnectionFailed(what, { cause })
    if (this.#phase !== 'leaving') return this.#fail(failed)
    const remainder = this.outbox.close()
    const wasRead = cause === undefined || this.outbox.unconfirmedEvents === 0
    this.#close(wasRead ? { kind: 'done', isRead: cause === undefined } : { kind: 'lost', cause: failed, ...remainder })
  }

  #onViolation(violation: ProtocolViolation | Unauthenticated): void {
    this.#sendGoodbye(violation.reason, violation.message)
    this.#fail(violation)
  }

  /** The outbox is full, and holds or was given what must not be dropped. */
  #onOverflow(): void {
    if (this.#phase !== 'up' && this.#phase !== 'introducing') return
    this.#sendGoodbye('overflow', 'the outbox for this endpoint is full')
    this.#fail(
      new OutboxOverflow(
        `disconnected ${this.identity.name}: its outbox is full, as it reads too slowly; make its handlers faster, or choose another overflow policy`,
      ),
    )
  }

  #fail(cause: LahjaError): void {
    const peer = this.peer ?? this.#expected
    if (peer && cause instanceof LinkError) cause.about(peer)
    this.#close(failure(this.#phase === 'up', cause, this.outbox.close()))
  }

  #close(ending: LinkEnding): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#deadline.cancel()
    this.#inbound.stop()
    this.outbox.close()
    this.receiveWindow.stop()
    this.#exchange.end()
    if (ending.kind !== 'left') this.#connection.destroy()
    const reason = 'cause' in ending ? `: ${ending.cause.message}` : ''
    this.#context.debug?.(`${this.#label}: link closed, ${ending.kind}${reason}`)
    this.#context.events.closed(this, ending)
    this.outbox.discard()
  }

  /** Writes to the connection directly: nothing in the outbox matters any more. */
  #sendGoodbye(reason: GoodbyeReason, text: string): void {
    if (this.#phase === 'closed') return
    this.#context.debug?.(`${this.#label}: sent goodbye ${reason}: ${text}`)
    const proof = this.#handshake.refusalProof
    const frame = encodeMessage({ kind: 'goodbye', reason, text: text.slice(0, GOODBYE_CHARACTERS), proof })
    this.#connection.write([frame.bytes.subarray(frame.start, frame.end)], () => {})
  }

  /** For the debug log. */
  get #label(): string {
    const peer = this.peer ?? this.#expected
    return `${peer ? `${peer.name}~${peer.id}` : 'unknown peer'} (${this.#expected ? 'dialled' : 'incoming'})`
  }
}

/** What is sent on a link that is up. `Inbound` keeps the shapes. */
type TrafficMessage = Exclude<Message, MessageOf<'hello' | 'proof' | 'ready' | 'goodbye' | 'shape'>>

function isTraffic(message: Message): message is TrafficMessage {
  const { kind } = message
  return kind !== 'hello' && kind !== 'proof' && kind !== 'ready' && kind !== 'goodbye' && kind !== 'shape'
}

/** Whether a message counts even from a peer to which we have said goodbye. */
function isReport(message: Message): message is MessageOf<'return' | 'settle' | 'progress' | 'credit'> {
  const { kind } = message
  return kind === 'return' || kind === 'settle' || kind === 'progress' || kind === 'credit'
}
