import type { Limits } from '../model/limits'
import { type Clock, judgeAfter, type Timer } from '../platform/clock'
import { RecentTime } from './recent-time'

/** Milliseconds of waiting within the span of `RecentTime` after which a peer is slow, unless `patience` is less. */
const SLOW_AFTER = 1000

export interface LagEvents {
  /** Senders stop waiting. */
  readonly lagging: () => void
  /** The peer has held senders up for more than a second, or `patience` if that is less, within ten seconds. */
  readonly slow: () => void
}

type State =
  | { readonly kind: 'keeping-up' }
  | {
      readonly kind: 'waited-for'
      readonly drained: Promise<void>
      readonly resolve: () => void
      readonly since: number
      /** When the peer has read something last. */
      readAt: number
      timer: Timer
    }
  | { readonly kind: 'lagging'; readBytes: number }

/**
 * Whether a peer keeps up with its senders:
 *
 *     keeping-up ──over the mark──▶ waited-for ──has read nothing for `patience`, or used up `slowShare`──▶ lagging
 *         ▲                             │                                                                     │
 *         └──────below the mark─────────┴───────────────has read a window, or everything──────────────────────┘
 */
export class Lag {
  readonly #clock: Clock
  readonly #limits: Pick<Limits, 'patience' | 'slowShare'>
  readonly #events: LagEvents
  readonly #waited = new RecentTime()
  #state: State = { kind: 'keeping-up' }
  #isSlow = false

  constructor(clock: Clock, limits: Pick<Limits, 'patience' | 'slowShare'>, events: LagEvents) {
    this.#clock = clock
    this.#limits = limits
    this.#events = events
  }

  get isLagging(): boolean {
    return this.#state.kind === 'lagging'
  }

  /** Milliseconds for which senders have waited for the peer so far. */
  get waitedMs(): number {
    return this.#waited.total + this.#waiting
  }

  /** Resolves on `release`, or when the peer starts to lag. */
  wait(): Promise<void> {
    if (this.#state.kind === 'waited-for') return this.#state.drained
    let resolve = () => {}
    const drained = new Promise<void>((resolved) => {
      resolve = resolved
    })
    const now = this.#clock.now()
    if (this.#waited.within(now) <= this.#slowAfter / 2) this.#isSlow = false
    const timer = judgeAfter(this.#clock, this.#nextVerdict(now, now), () => this.#judge(), true)
    this.#state = { kind: 'waited-for', drained, resolve, since: now, readAt: now, timer }
    return drained
  }

  /** Lets the waiting senders go on. */
  release(): void {
    if (this.#state.kind !== 'waited-for') return
    const { timer, resolve } = this.#state
    this.#waited.add(this.#waiting, this.#clock.now())
    this.#state = { kind: 'keeping-up' }
    timer.cancel()
    resolve()
  }

  /** The peer has read so many bytes. */
  onRead(bytes: number): void {
    if (this.#state.kind === 'waited-for') this.#state.readAt = this.#clock.now()
    else if (this.#state.kind === 'lagging') this.#state.readBytes += bytes
  }

  /**
   * Ends the lag of a peer that has caught up.
   *
   * @param window bytes that it has to have read
   * @param isEmpty whether nothing is queued for it any more
   * @returns whether it was lagging, and is no more
   */
  recover(window: number, isEmpty: boolean): boolean {
    if (this.#state.kind !== 'lagging' || !(isEmpty || this.#state.readBytes >= window)) return false
    if (!isEmpty && this.#waited.within(this.#clock.now()) > this.#mostWaited / 2) return false
    this.#state = { kind: 'keeping-up' }
    return true
  }

  /** Milliseconds of the current wait. */
  get #waiting(): number {
    return this.#state.kind === 'waited-for' ? this.#clock.now() - this.#state.since : 0
  }

  /** Milliseconds of waiting within the span of `RecentTime` after which the peer lags. */
  get #mostWaited(): number {
    const { slowShare } = this.#limits
    return slowShare < 1 ? slowShare * RecentTime.SPAN : Number.POSITIVE_INFINITY
  }

  /** A high patience must not keep it secret that the peer paces its senders. */
  get #slowAfter(): number {
    return Math.min(this.#limits.patience, SLOW_AFTER)
  }

  #judge(): void {
    if (this.#state.kind !== 'waited-for') return
    const now = this.#clock.now()
    const { readAt } = this.#state
    const waited = this.#waited.within(now) + this.#waiting
    if (now - readAt >= this.#limits.patience || waited >= this.#mostWaited) return this.#lag()
    if (waited >= this.#slowAfter && !this.#isSlow) {
      this.#isSlow = true
      this.#events.slow()
    }
    if (this.#state.kind !== 'waited-for') return
    this.#state.timer = judgeAfter(this.#clock, this.#nextVerdict(now, readAt), () => this.#judge(), true)
  }

  /** Milliseconds until there may be something to say. */
  #nextVerdict(now: number, readAt: number): number {
    const { patience } = this.#limits
    const waited = this.#waited.within(now) + this.#waiting
    const toSlow = this.#isSlow ? Number.POSITIVE_INFINITY : this.#slowAfter - waited
    return Math.max(Math.min(readAt + patience - now, toSlow, this.#mostWaited - waited), 0)
  }

  #lag(): void {
    this.release()
    this.#state = { kind: 'lagging', readBytes: 0 }
    this.#events.lagging()
  }
}
