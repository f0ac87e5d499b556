import type { Clock } from '../platform/clock'

/**
 * Limits the bytes that are broadcast in one turn of the event loop. Beyond it senders wait for the next turn, so that
 * queued events leave in one write and incoming messages are read.
 */
export class TurnBudget {
  readonly #clock: Clock
  readonly #limit: number
  #bytes = 0
  #isResetPlanned = false
  #next: Promise<void> | undefined

  /** @param limit bytes of one turn */
  constructor(clock: Clock, limit: number) {
    this.#clock = clock
    this.#limit = limit
  }

  /** Whether another event of this size exceeds the budget. */
  isFullFor(bytes: number): boolean {
    return this.#bytes + bytes > this.#limit
  }

  spend(bytes: number): void {
    this.#bytes += bytes
    if (this.#isResetPlanned) return
    this.#isResetPlanned = true
    this.#clock.nextTurn(() => {
      this.#isResetPlanned = false
      this.#bytes = 0
    })
  }

  /** Resolves in the next turn, after everything that was deferred to it before. */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      this.#clock.nextTurn(() => {
        this.#next = undefined
        resolve()
      })
    })
    return this.#next
  }
}
