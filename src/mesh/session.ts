import type { Channel } from '../channel/channel'
import type { MemoryBudget } from '../channel/memory-budget'
import { Outbox } from '../channel/outbox'
import { ReceiveWindow } from '../channel/receive-window'
import type { Identity } from '../model/audience'
import type { Interest } from '../model/interest'
import { HANDSHAKE_FRAME, type Limits } from '../model/limits'
import type { Handling } from '../model/overflow'
import { matches } from '../model/pattern'
import type { Clock } from '../platform/clock'
import type { Connection } from '../platform/transport'
import { encodeMessage } from '../wire/codec'
import type { Frame } from '../wire/frame'
import type { ChannelMessage, Hello, Message } from '../wire/message'
import type { Agreement } from './handshake'
import { type InterestChange, InterestExchange } from './interest-exchange'
import { Liveness } from './liveness'

/** What comes from the peer, once a link is up. */
export interface Traffic {
  event(session: Session, type: string, payload: unknown): void
  /** A message between the subscriptions and requests of the two. */
  message(session: Session, message: ChannelMessage): void
  /** The peer wants something new, or doesn't want something any more. */
  interest(session: Session, change: InterestChange): void
  gap(session: Session, count: number): void
  pace(session: Session, change: 'lagging' | 'recovered' | 'unresponsive'): void
}

export interface SessionContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly budget: MemoryBudget
  readonly traffic: Traffic
}

const NOBODY: Identity = { name: '', groups: [] }

/** What is said on a link: what waits for the peer, what it wants, what it is owed, and whether it still speaks. */
export abstract class Session implements Channel {
  readonly isOwn = false
  readonly outbox: Outbox
  readonly receiveWindow: ReceiveWindow
  protected readonly exchange = new InterestExchange(
    (message) => this.sendControl(message),
    () => this.sendLimit,
  )
  readonly #context: SessionContext
  readonly #liveness: Liveness
  #peer: Hello | undefined
  #agreement: Agreement | undefined

  constructor(context: SessionContext, connection: Connection) {
    const { clock, limits, budget, traffic } = context
    this.#context = context
    this.#liveness = new Liveness(limits.silentPings)
    this.outbox = new Outbox(
      { connection, clock, limits, budget },
      {
        lagging: () => traffic.pace(this, 'lagging'),
        recovered: () => traffic.pace(this, 'recovered'),
        overflowed: () => clock.defer(() => this.overflowed()),
      },
    )
    this.receiveWindow = new ReceiveWindow(limits.windowBytes, clock, (bytes, events) =>
      this.sendControl({ kind: 'credit', bytes, events }),
    )
  }

  /** Who is at the other end, from the hello on. */
  get peer(): Hello | undefined {
    return this.#peer
  }

  get identity(): Identity {
    return this.#peer ?? NOBODY
  }

  /** What the peer wants. */
  get interest(): Iterable<Interest> {
    return this.exchange.theirs
  }

  get isUnresponsive(): boolean {
    return this.#liveness.isUnresponsive
  }

  get sendLimit(): number {
    return this.#agreement?.sendLimit ?? HANDSHAKE_FRAME
  }

  get requestLimit(): number {
    return this.#agreement?.requestLimit ?? 0
  }

  accepts(type: string): boolean {
    return this.#peer?.accepts?.some((pattern) => matches(pattern, type)) ?? true
  }

  send(frame: Frame, handling: Handling): boolean {
    return this.outbox.push(frame, handling)
  }

  sendControl(message: Message): Frame {
    const frame = encodeMessage(message, this.sendLimit)
    this.outbox.pushControl(frame)
    return frame
  }

  /** Resolves when the peer knows of all changes by now, or the link has ended. */
  known(): Promise<void> {
    return this.exchange.known()
  }

  /** The peer has said who it is, and on what terms it speaks. */
  protected meet(hello: Hello, agreement: Agreement): void {
    this.#peer = hello
    this.#agreement = agreement
    this.outbox.window = hello.window
  }

  /** The outbox is at its cap, with an event for which the peer is to be disconnected. */
  protected abstract overflowed(): void

  /** Something has come from the peer. */
  protected heard(): void {
    if (this.#liveness.heard()) this.#context.traffic.pace(this, 'recovered')
  }

  /** Asks a silent peer for a sign of life. Silence never ends a link. */
  protected listen(): void {
    const { isSilent, becameUnresponsive } = this.#liveness.check()
    if (isSilent) this.sendControl({ kind: 'ping' })
    if (becameUnresponsive) this.#context.traffic.pace(this, 'unresponsive')
  }

  /** What the peer wants while the link is being taken up: nobody acts on it yet. */
  protected learn(change: InterestChange): void {
    this.exchange.learn(change)
    this.exchange.acknowledge(change.sequence)
  }

  /** Anything that a peer may say on a link that is up. */
  protected converse(message: Exclude<Message, { kind: 'hello' | 'proof' | 'ready' | 'goodbye' }>): void {
    const { traffic } = this.#context
    switch (message.kind) {
      case 'event':
        return traffic.event(this, message.type, message.payload)
      case 'subscribe':
      case 'unsubscribe':
        traffic.interest(this, { ...message, interests: this.exchange.learn(message) })
        return this.exchange.acknowledge(message.sequence)
      case 'acknowledge':
        return this.exchange.acknowledged(message.sequence)
      case 'gap':
        return traffic.gap(this, message.count)
      case 'credit':
        return this.outbox.credit(message.bytes, message.events)
      case 'ping':
        this.sendControl({ kind: 'pong' })
        return
      case 'pong':
        return
      default:
        return traffic.message(this, message)
    }
  }
}
