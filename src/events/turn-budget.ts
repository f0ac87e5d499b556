import type { Clock } from '../platform/clock'

/**
 * What a sender has broadcast in one turn of the event loop. When that is enough, it waits for the next: so that what
 * it has sent leaves, in one piece, and what comes from peers is heard.
 */
export class TurnBudget {
  readonly #clock: Clock
  readonly #enough: number
  #bytes = 0
  #isUnderWay = false
  #next: Promise<void> | undefined

  /** @param enough bytes that fill a turn */
  constructor(clock: Clock, enough: number) {
    this.#clock = clock
    this.#enough = enough
  }

  /** Would another event of that size be too much? */
  isFullFor(bytes: number): boolean {
    return this.#bytes + bytes > this.#enough
  }

  spend(bytes: number): void {
    this.#bytes += bytes
    if (this.#isUnderWay) return
    this.#isUnderWay = true
    this.#clock.nextTurn(() => {
      this.#isUnderWay = false
      this.#bytes = 0
    })
  }

  /** Resolves in the next turn: after everything that has been put off until then by now. */
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
