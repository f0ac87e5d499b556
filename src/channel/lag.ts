import { type Clock, judgeAfter, type Timer } from '../platform/clock'

type State =
  | { readonly kind: 'keeping-up' }
  | {
      readonly kind: 'waited-for'
      readonly drained: Promise<void>
      readonly resolve: () => void
      readonly timer: Timer
    }
  | { readonly kind: 'lagging' }

/**
 * Whether a peer keeps up with its senders:
 *
 *     keeping-up ──over the mark──▶ waited-for ──patience over──▶ lagging
 *         ▲                             │                            │
 *         └──────below the mark─────────┴───────────recovered────────┘
 */
export class Lag {
  readonly #clock: Clock
  readonly #patience: number
  readonly #lagging: () => void
  #state: State = { kind: 'keeping-up' }

  /**
   * @param patience milliseconds that senders wait before the peer lags
   * @param lagging called when they stop waiting
   */
  constructor(clock: Clock, patience: number, lagging: () => void) {
    this.#clock = clock
    this.#patience = patience
    this.#lagging = lagging
  }

  get isLagging(): boolean {
    return this.#state.kind === 'lagging'
  }

  /** Resolves on `release`, or when the peer starts to lag. */
  wait(): Promise<void> {
    if (this.#state.kind === 'waited-for') return this.#state.drained
    let resolve = () => {}
    const drained = new Promise<void>((resolved) => {
      resolve = resolved
    })
    const timer = judgeAfter(this.#clock, this.#patience, () => this.#lag())
    this.#state = { kind: 'waited-for', drained, resolve, timer }
    return drained
  }

  /** Lets the waiting senders go on. */
  release(): void {
    if (this.#state.kind !== 'waited-for') return
    const { timer, resolve } = this.#state
    this.#state = { kind: 'keeping-up' }
    timer.cancel()
    resolve()
  }

  /** The peer has read everything. Returns whether it was lagging. */
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
