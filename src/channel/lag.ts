import type { Clock, Timer } from '../platform/clock'

type State =
  | { readonly kind: 'keeping-up' }
  | { readonly kind: 'waited-for'; readonly relief: Promise<void>; readonly relieve: () => void; readonly timer: Timer }
  | { readonly kind: 'lagging' }

/**
 * How a peer keeps up with what is sent to it:
 *
 *     keeping-up ──over the mark──▶ waited-for ──patience over──▶ lagging
 *         ▲                             │                            │
 *         └──────below the mark─────────┴───────────drained──────────┘
 */
export class Lag {
  readonly #clock: Clock
  readonly #patience: number
  readonly #lagging: () => void
  #state: State = { kind: 'keeping-up' }

  /**
   * @param patience milliseconds for which senders wait
   * @param lagging called when they do so no longer
   */
  constructor(clock: Clock, patience: number, lagging: () => void) {
    this.#clock = clock
    this.#patience = patience
    this.#lagging = lagging
  }

  get isLagging(): boolean {
    return this.#state.kind === 'lagging'
  }

  /** Resolves when the peer is relieved, or patience is used up. */
  wait(): Promise<void> {
    if (this.#state.kind === 'waited-for') return this.#state.relief
    let relieve = () => {}
    const relief = new Promise<void>((resolve) => {
      relieve = resolve
    })
    const timer = this.#clock.after(this.#patience, () => this.#lag())
    this.#state = { kind: 'waited-for', relief, relieve, timer }
    return relief
  }

  /** Nobody need wait any more. */
  release(): void {
    if (this.#state.kind !== 'waited-for') return
    const { timer, relieve } = this.#state
    this.#state = { kind: 'keeping-up' }
    timer.cancel()
    relieve()
  }

  /** Nothing waits for the peer any more. Returns whether it was lagging until now. */
  recover(): boolean {
    if (this.#state.kind !== 'lagging') return false
    this.#state = { kind: 'keeping-up' }
    return true
  }

  #lag(): void {
    this.release()
    this.#state = { kind: 'lagging' }
    this.#lagging()
  }
}
