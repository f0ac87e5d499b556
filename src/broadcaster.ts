import { type Audience, checkAudience, type Identity, isAddressed } from './audience'
import type { Clock } from './clock'
import { Encoder } from './codec'
import { NoSubscribers, PayloadTooLarge } from './errors'
import { type Frame, PREFIX_BYTES } from './frame'
import { HANDSHAKE_FRAME } from './limits'
import type { Link } from './link'
import type { Loopback } from './loopback'
import type { Outbox } from './outbox'
import type { Router } from './router'

export interface BroadcastOptions {
  /** Only for these endpoints. Default: everyone who is subscribed. */
  readonly to?: Audience | undefined
  /** Not for these endpoints. */
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
  readonly self: Identity
  readonly clock: Clock
  readonly frameLimit: number
  readonly requireSubscriber: boolean
  /** The links that want a type. */
  readonly router: Router<Link>
  readonly loopback: Loopback
  readonly isSubscribed: (type: string) => boolean
}

/** The way out of an event: who gets it, encoded once, into every outbox at once. */
export class Broadcaster {
  readonly #context: BroadcasterContext
  readonly #encoder: Encoder
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
  send(type: string, payload: unknown, options: BroadcastOptions | undefined): number {
    const { self, router, loopback, isSubscribed } = this.#context
    const links = this.#select(router.select(type), options)
    const isForUs = isSubscribed(type) && (options === undefined || isAddressed(self, options.to, options.except))
    const count = links.length + (isForUs ? 1 : 0)
    if (this.#over.length > 0) this.#over = []
    if (count === 0) {
      this.#checkRequirement(type, options)
      return 0
    }
    const frame = this.#encoder.event(type, payload)
    checkLimits(type, frame, links)
    for (const link of links) {
      link.send(frame)
      if (link.outbox.isOverMark) this.#over.push(link.outbox)
    }
    if (isForUs) {
      loopback.send(frame)
      if (loopback.outbox.isOverMark) this.#over.push(loopback.outbox)
    }
    this.#spend(frame.end - frame.start)
    return count
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

  #select(links: readonly Link[], options: BroadcastOptions | undefined): readonly Link[] {
    if (options === undefined) return links
    const { to, except, internal } = options
    if (to !== undefined) checkAudience('to', to)
    if (except !== undefined) checkAudience('except', except)
    if (internal) return []
    if (to === undefined && except === undefined) return links
    return links.filter(({ peer }) => peer !== undefined && isAddressed(peer, to, except))
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

/** Every endpoint takes frames of this size, so most events need no look at the links. */
function checkLimits(type: string, frame: Frame, links: readonly Link[]): void {
  const body = frame.end - frame.start - PREFIX_BYTES
  if (body <= HANDSHAKE_FRAME) return
  for (const { sendLimit, peer } of links) {
    if (body <= sendLimit) continue
    throw new PayloadTooLarge(`event ${type}: expected at most ${sendLimit} bytes for ${peer?.name}, got ${body}`)
  }
}
