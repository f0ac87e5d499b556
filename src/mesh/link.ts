import { Inbound } from '../channel/inbound'
import {
  ConnectionFailed,
  type LahjaError,
  LinkRefused,
  OutboxOverflow,
  ProtocolViolation,
  Unauthenticated,
} from '../model/errors'
import type { Interest } from '../model/interest'
import { HANDSHAKE_FRAME } from '../model/limits'
import type { Address } from '../platform/address'
import type { Timer } from '../platform/clock'
import type { Connection } from '../platform/transport'
import { encodeMessage } from '../wire/codec'
import type { Goodbye, GoodbyeReason, Hello, Message } from '../wire/message'
import { agree, type Proofs, proofsOf } from './handshake'
import type { InterestChange } from './interest-exchange'
import { dismissal, endOfStream, failure, type LinkEnding, lateHandshake } from './link-ending'
import { type LinkState, unexpected } from './link-state'
import { isSameProof, type Secret } from './secret'
import { Session, type SessionContext } from './session'

/** Of a goodbye's text, so that it fits into a frame before the handshake. */
const GOODBYE_CHARACTERS = 1000

/** What a link tells of its life. */
export interface LinkEvents {
  /** The peer has said who it is, and proved that it may: answer with `accept` or `refuse`. */
  greeted(link: Link, hello: Hello): void
  up(link: Link): void
  closed(link: Link, ending: LinkEnding): void
}

/** What all links of an endpoint share. */
export interface LinkContext extends SessionContext {
  readonly events: LinkEvents
  /** What this endpoint says of itself, anew for each link. */
  readonly hello: () => Hello
  /** What a peer has to prove that it knows. */
  readonly secret?: Secret | undefined
  /** What this endpoint wants now. */
  readonly interest: () => Iterable<Interest>
}

/** One session with one peer, from the connection over the handshake to the goodbye. */
export class Link extends Session {
  readonly #context: LinkContext
  readonly #connection: Connection
  readonly #inbound: Inbound
  readonly #handshakeTimer: Timer
  readonly #expected: Address | undefined
  /** What we say of ourselves on this link. */
  readonly #hello: Hello
  #proofs: Proofs | undefined
  #isProven: boolean
  #state: LinkState = 'greeting'

  /** @param expected whom we have dialled; nobody where the peer has dialled us */
  constructor(context: LinkContext, connection: Connection, expected: Address | undefined) {
    super(context, connection)
    const { clock, limits, traffic } = context
    this.#context = context
    this.#connection = connection
    this.#expected = expected
    this.#hello = context.hello()
    this.#isProven = context.secret === undefined
    this.#inbound = new Inbound(HANDSHAKE_FRAME, false, this.receiveWindow, {
      event: (type, payload) => traffic.event(this, type, payload),
      message: (message) => this.#handle(message),
    })
    // Where the process was stopped, what has come meanwhile has come in time, and is read first.
    this.#handshakeTimer = clock.after(limits.handshakeTimeout, () => clock.defer(() => this.#checkHandshake()))
    connection.attach({
      data: (chunk) => this.#read(chunk),
      end: () => this.#ended(),
      closed: (cause) => this.#broke(cause),
    })
    if (expected) this.sendControl(this.#hello)
  }

  /** Has the peer proved that it knows the secret, if there is one? If not, its word is anybody's. */
  get isProven(): boolean {
    return this.#isProven
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  /** Takes the link up: tells the peer what we are subscribed to. */
  accept(): void {
    if (this.#state !== 'deciding') return
    if (!this.#expected) this.sendControl(this.#proofs ? { kind: 'proof', proof: this.#proofs.ours } : this.#hello)
    this.#state = 'introducing'
    this.#inbound.limit = this.#context.limits.frameBytes
    this.exchange.announceAll(this.#context.interest())
    this.sendControl({ kind: 'ready' })
  }

  /** Closes the link with a reason that the peer is told. */
  refuse(reason: GoodbyeReason, text: string): void {
    this.#sendGoodbye(reason, text)
    this.#close({ kind: 'refused', reason, cause: new LinkRefused(reason, text) })
  }

  /** Tells the peer of a change of interest. */
  announce(change: InterestChange['kind'], interest: Interest): void {
    if (this.#state === 'introducing' || this.#state === 'up') this.exchange.announce(change, interest)
  }

  /** Called every ping interval. */
  checkLife(): void {
    if (this.#state === 'up') this.listen()
  }

  /** Sends all that waits, says goodbye, and reads on until the peer has closed its side: some of it may come back. */
  async leave(): Promise<void> {
    if (this.#state !== 'up') return this.refuse('closing', 'the endpoint is closing')
    await this.outbox.flushed()
    if (this.#state !== 'up') return
    this.#sendGoodbye('left', 'the endpoint has closed')
    this.#connection.end()
    this.#inbound.takesEvents = false
    this.outbox.close()
    this.#state = 'leaving'
  }

  /** Closes at once. Returns how many events were not delivered. */
  abandon(): number {
    const { undelivered, unconfirmed } = this.outbox.close()
    this.#close({ kind: 'done' })
    return undelivered + unconfirmed
  }

  protected override overflowed(): void {
    if (this.#state !== 'up' && this.#state !== 'introducing') return
    const { name } = this.identity
    this.#sendGoodbye('overflow', 'more waits than is kept')
    this.#fail(new OutboxOverflow(`expected ${name} to read, got more that waits for it than is kept`))
  }

  #read(chunk: Buffer): void {
    this.heard()
    try {
      this.#inbound.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolViolation || error instanceof Unauthenticated)) throw error
      if (this.#state === 'leaving') this.#inbound.stop()
      else this.#violated(error)
    }
  }

  #handle(message: Message): void {
    if (message.kind === 'goodbye') return this.#dismissed(message)
    switch (this.#state) {
      case 'greeting':
        if (message.kind === 'hello') return this.#greet(message)
        break
      case 'proving':
        if (message.kind === 'proof') return this.#believe(message.proof)
        break
      case 'introducing':
        if (message.kind === 'ready') return this.#goUp()
        if (message.kind === 'subscribe') return this.learn(message)
        if (message.kind === 'acknowledge') return this.converse(message)
        break
      case 'up':
        if (message.kind === 'hello' || message.kind === 'proof' || message.kind === 'ready') break
        return this.converse(message)
      case 'leaving':
        // What of its assignments nobody has handled, nobody else can tell.
        if (message.kind === 'return' || message.kind === 'settle') this.converse(message)
        return
      case 'deciding':
      case 'closed':
        break
    }
    throw unexpected(message, this.#state)
  }

  #greet(hello: Hello): void {
    this.meet(hello, agree(this.#hello, hello, this.#expected))
    const role = this.#expected ? 'dialler' : 'acceptor'
    this.#proofs = proofsOf(this.#context.secret, role, this.#hello, hello)
    if (!this.#proofs) return this.#consider(hello)
    this.sendControl(this.#expected ? { kind: 'proof', proof: this.#proofs.ours } : this.#hello)
    this.#state = 'proving'
  }

  #believe(proof: Uint8Array): void {
    const { peer } = this
    if (!peer || !this.#isTheirs(proof)) {
      const { name } = this.identity
      throw new Unauthenticated(`expected ${name}~${peer?.id} to prove that it knows the secret, got another proof`)
    }
    this.#isProven = true
    this.#consider(peer)
  }

  #isTheirs(proof: Uint8Array): boolean {
    return this.#proofs !== undefined && isSameProof(proof, this.#proofs.theirs)
  }

  #consider(hello: Hello): void {
    this.#state = 'deciding'
    this.#context.events.greeted(this, hello)
  }

  #goUp(): void {
    this.#handshakeTimer.cancel()
    this.#inbound.takesEvents = true
    this.#state = 'up'
    this.#context.events.up(this)
  }

  #checkHandshake(): void {
    if (this.#state === 'up' || this.#state === 'leaving') return
    this.#violated(lateHandshake(this.#context.limits.handshakeTimeout))
  }

  #dismissed({ reason, text, proof }: Goodbye): void {
    const isGoing = reason === 'left' || reason === 'closing'
    if (this.#state === 'leaving') return isGoing ? this.#part() : undefined
    if (proof && this.#isTheirs(proof)) this.#isProven = true
    if (this.#state === 'up' && isGoing) return this.#part()
    this.#fail(dismissal(reason, text))
  }

  /** The peer has left, perhaps at the same time as we, and reads on until this side is closed. */
  #part(): void {
    this.outbox.flushControl()
    this.#connection.linger(this.#context.limits.handshakeTimeout)
    this.#close({ kind: 'left' })
  }

  #ended(): void {
    if (this.#state === 'leaving') return this.#close({ kind: 'done' })
    this.#fail(endOfStream(this.#inbound.heldBytes))
  }

  #broke(cause: Error | undefined): void {
    const failed = new ConnectionFailed(`the connection broke: ${cause?.message ?? 'closed'}`, { cause })
    if (this.#state !== 'leaving') return this.#fail(failed)
    const remainder = this.outbox.close()
    const wasRead = cause === undefined || this.outbox.unconfirmedEvents === 0
    this.#close(wasRead ? { kind: 'done' } : { kind: 'lost', cause: failed, ...remainder })
  }

  #violated(violation: ProtocolViolation | Unauthenticated): void {
    this.#sendGoodbye(violation.reason, violation.message)
    this.#fail(violation)
  }

  #fail(cause: LahjaError): void {
    this.#close(failure(this.#state === 'up', cause, this.outbox.close()))
  }

  #close(ending: LinkEnding): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#handshakeTimer.cancel()
    this.#inbound.stop()
    this.outbox.close()
    this.receiveWindow.stop()
    this.exchange.end()
    if (ending.kind !== 'left') this.#connection.destroy()
    this.#context.events.closed(this, ending)
    this.outbox.discard()
  }

  /** Straight to the connection: nothing that waits in the outbox matters any more. */
  #sendGoodbye(reason: GoodbyeReason, text: string): void {
    if (this.#state === 'closed') return
    const proof = this.#state === 'deciding' ? this.#proofs?.ours : undefined
    const { bytes } = encodeMessage({ kind: 'goodbye', reason, text: text.slice(0, GOODBYE_CHARACTERS), proof })
    this.#connection.write([bytes], () => {})
  }
}
