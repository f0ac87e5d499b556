import type { Address } from './address'
import type { Clock, Timer } from './clock'
import { decodeMessage, EventDecoder, encodeMessage } from './codec'
import { type Ending, endOfStream, failure } from './ending'
import { ConnectionFailed, type LahjaError, LinkRefused, ProtocolViolation } from './errors'
import { type Frame, FrameReader } from './frame'
import { type Agreement, agree } from './handshake'
import { Interest, type InterestChange } from './interest'
import { HANDSHAKE_FRAME, type Limits } from './limits'
import { Liveness } from './liveness'
import type { GoodbyeReason, Hello, Message } from './message'
import { Outbox } from './outbox'
import type { Connection } from './transport'

/**
 *     greeting ──hello──▶ deciding ──accept──▶ introducing ──ready──▶ up ──leave──▶ leaving
 *
 * The one that has dialled says hello first, the other once it has accepted. Any state can end in closed.
 */
type State = 'greeting' | 'deciding' | 'introducing' | 'up' | 'leaving' | 'closed'

/** Of a goodbye's text, so that it fits into a frame before the handshake. */
const GOODBYE_CHARACTERS = 1000

/** What a link tells the mesh. */
export interface LinkEvents {
  /** The peer has said who it is: answer with `accept` or `refuse`. */
  greeted(link: Link, hello: Hello): void
  up(link: Link): void
  event(link: Link, type: string, payload: unknown): void
  /** The peer, up already, has changed what it is subscribed to. */
  interest(link: Link, change: InterestChange): void
  gap(link: Link, count: number): void
  pace(link: Link, change: 'lagging' | 'recovered' | 'unresponsive'): void
  closed(link: Link, ending: Ending): void
}

/** What all links of an endpoint share. */
export interface LinkContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly events: LinkEvents
  readonly hello: () => Hello
  /** The types this endpoint is subscribed to now. */
  readonly interest: () => readonly string[]
}

/** One session with one peer: handshake, interest, events, goodbye. */
export class Link {
  readonly #context: LinkContext
  readonly #connection: Connection
  readonly #reader: FrameReader
  readonly #decoder = new EventDecoder()
  readonly #handshakeTimer: Timer
  readonly #liveness: Liveness
  readonly #interest = new Interest((message) => this.#sendControl(message))
  readonly #expected: Address | undefined
  #state: State = 'greeting'
  #peer: Hello | undefined
  #agreement: Agreement | undefined
  /** What waits to be sent to the peer. */
  readonly outbox: Outbox

  /** @param expected whom we have dialled; nobody where the peer has dialled us */
  constructor(context: LinkContext, connection: Connection, expected: Address | undefined) {
    const { clock, limits, events } = context
    this.#context = context
    this.#connection = connection
    this.#expected = expected
    this.#liveness = new Liveness(limits.silentPings)
    this.#reader = new FrameReader(HANDSHAKE_FRAME, (bytes, start, end) => this.#receive(bytes, start, end))
    this.outbox = new Outbox(connection, clock, limits, {
      lagging: () => events.pace(this, 'lagging'),
      recovered: () => events.pace(this, 'recovered'),
    })
    this.#handshakeTimer = clock.after(limits.handshakeTimeout, () => this.#handshakeTimedOut())
    connection.attach({
      data: (chunk) => this.#read(chunk),
      end: () => this.#ended(),
      closed: (cause) => this.#broke(cause),
    })
    if (expected) this.#sendControl(context.hello())
  }

  /** Who is at the other end, from the hello on. */
  get peer(): Hello | undefined {
    return this.#peer
  }

  /** The types the peer is subscribed to. */
  get interest(): ReadonlySet<string> {
    return this.#interest.theirs
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get isUnresponsive(): boolean {
    return this.#liveness.isUnresponsive
  }

  /** Bytes of body that a frame for the peer may have. */
  get sendLimit(): number {
    return this.#agreement?.sendLimit ?? HANDSHAKE_FRAME
  }

  /** Takes the link up: tells the peer what we are subscribed to. */
  accept(): void {
    if (this.#state !== 'deciding') return
    if (!this.#expected) this.#sendControl(this.#context.hello())
    this.#state = 'introducing'
    this.#reader.limit = this.#context.limits.frame
    this.#interest.announceAll(this.#context.interest(), this.sendLimit)
    this.#sendControl({ kind: 'ready' })
  }

  /** Closes the link with a reason that the peer is told. */
  refuse(reason: GoodbyeReason, text: string): void {
    this.#sendGoodbye(reason, text)
    this.#close({ kind: 'refused', reason, cause: new LinkRefused(reason, text) })
  }

  /** An event, encoded; the peer is subscribed to it. */
  send(frame: Frame): void {
    this.outbox.push(frame)
  }

  /** Tells the peer of a change of interest; resolves when it has acknowledged, or the link has ended. */
  announce(change: InterestChange['kind'], types: readonly string[]): Promise<void> {
    if (this.#state !== 'introducing' && this.#state !== 'up') return Promise.resolve()
    return this.#interest.announce(change, types)
  }

  /** Called every ping interval: asks a silent peer for a sign of life. Silence never ends a link. */
  checkLife(): void {
    if (this.#state !== 'up') return
    const { isSilent, becameUnresponsive } = this.#liveness.check()
    if (isSilent) this.#sendControl({ kind: 'ping' })
    if (becameUnresponsive) this.#context.events.pace(this, 'unresponsive')
  }

  /** Sends all that waits, says goodbye, and reads on until the peer has closed its side. */
  async leave(): Promise<void> {
    if (this.#state !== 'up') return this.refuse('closing', 'the endpoint is closing')
    await this.outbox.flushed()
    if (this.#state !== 'up') return
    this.#sendGoodbye('left', 'the endpoint has closed')
    this.#connection.end()
    this.#state = 'leaving'
  }

  /** Closes at once. Returns how many events were not delivered. */
  abandon(): number {
    const undelivered = this.outbox.close()
    this.#close({ kind: 'done' })
    return undelivered
  }

  #read(chunk: Buffer): void {
    if (this.#liveness.heard()) this.#context.events.pace(this, 'recovered')
    try {
      this.#reader.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      this.#violated(error)
    }
  }

  #receive(bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'up') {
      const header = this.#decoder.header(bytes, start, end)
      if (header) {
        const payload = this.#decoder.payload(bytes, header.payloadStart, end)
        return this.#context.events.event(this, header.type, payload)
      }
    }
    if (this.#state !== 'leaving') this.#handle(decodeMessage(bytes, start, end))
  }

  #handle(message: Message): void {
    if (message.kind === 'goodbye') return this.#dismissed(message.reason, message.text)
    switch (this.#state) {
      case 'greeting':
        if (message.kind === 'hello') return this.#greet(message)
        break
      case 'introducing':
        if (message.kind === 'ready') return this.#goUp()
        if (message.kind === 'subscribe' || message.kind === 'acknowledge') return this.#converse(message)
        break
      case 'up':
        return this.#converse(message)
      case 'deciding':
      case 'leaving':
      case 'closed':
        break
    }
    throw unexpected(message, this.#state)
  }

  #converse(message: Message): void {
    const { events } = this.#context
    switch (message.kind) {
      case 'event':
        return events.event(this, message.type, message.payload)
      case 'subscribe':
      case 'unsubscribe':
        this.#interest.learn(message)
        if (this.#state === 'up') events.interest(this, message)
        return
      case 'acknowledge':
        return this.#interest.acknowledged(message.sequence)
      case 'gap':
        return events.gap(this, message.count)
      case 'ping':
        return this.#sendControl({ kind: 'pong' })
      case 'pong':
        return
      case 'hello':
      case 'ready':
      case 'goodbye':
        throw unexpected(message, this.#state)
      default:
        return message satisfies never
    }
  }

  #greet(hello: Hello): void {
    this.#agreement = agree(this.#context.hello(), hello, this.#expected)
    this.#peer = hello
    this.#state = 'deciding'
    this.#context.events.greeted(this, hello)
  }

  #goUp(): void {
    this.#handshakeTimer.cancel()
    this.#state = 'up'
    this.#context.events.up(this)
  }

  #dismissed(reason: string, text: string): void {
    if (this.#state === 'up' && (reason === 'left' || reason === 'closing')) return this.#close({ kind: 'left' })
    this.#fail(new LinkRefused(reason, text))
  }

  #ended(): void {
    if (this.#state === 'leaving') return this.#close({ kind: 'done' })
    this.#fail(endOfStream(this.#reader.heldBytes))
  }

  #broke(cause: Error | undefined): void {
    if (this.#state === 'leaving') return this.#close({ kind: 'done' })
    this.#fail(new ConnectionFailed(`the connection broke: ${cause?.message ?? 'closed'}`, { cause }))
  }

  #violated(violation: ProtocolViolation): void {
    this.#sendGoodbye(violation.reason, violation.message)
    this.#fail(violation)
  }

  #handshakeTimedOut(): void {
    const { handshakeTimeout } = this.#context.limits
    this.#violated(new ProtocolViolation('handshake-timeout', `expected a handshake within ${handshakeTimeout} ms`))
  }

  #fail(cause: LahjaError): void {
    this.#close(failure(this.#state === 'up', cause, this.outbox.close()))
  }

  #close(ending: Ending): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#handshakeTimer.cancel()
    this.#reader.stop()
    this.outbox.close()
    this.#interest.end()
    this.#connection.destroy()
    this.#context.events.closed(this, ending)
  }

  #sendControl(message: Message): void {
    this.outbox.pushUrgent(encodeMessage(message))
  }

  /** Straight to the connection: nothing that waits in the outbox matters any more. */
  #sendGoodbye(reason: GoodbyeReason, text: string): void {
    if (this.#state === 'closed') return
    const { bytes } = encodeMessage({ kind: 'goodbye', reason, text: text.slice(0, GOODBYE_CHARACTERS) })
    this.#connection.write([bytes], () => {})
  }
}

function unexpected(message: Message, state: State): ProtocolViolation {
  return new ProtocolViolation('unexpected-message', `expected none of kind ${message.kind} in state ${state}`)
}
