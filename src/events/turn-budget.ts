import type { Clock } from '../platform/clock'
import { Fifo } from '../platform/fifo'

/** Bytes charged for a call that sends nothing, so that a loop of such calls yields to the event loop. */
const IDLE_BYTES = 64

/** Milliseconds of one turn after which handlers of waiting events leave the rest to the next one. */
const HANDLING_TIME = 10

/**
 * Limits what one turn of the event loop takes: the bytes that are broadcast, and the time for which waiting events are
 * handled. Beyond it senders and handlers wait for the next turn, so that sockets, timers and signals have theirs.
 */
export class TurnBudget {
  readonly #clock: Clock
  readonly #limit: number
  #bytes = 0
  #isResetPlanned = false
  /** When the first waiting event of this turn was handled. */
  #handlingSince: number | undefined
  #next: Promise<void> | undefined
  /** What handles waiting events in a later turn, in order. */
  readonly #later = new Fifo<() => void>()
  #isHandlingPlanned = false

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
    if (!this.#isResetPlanned) this.#planReset()
  }

  /** Whether waiting events have been handled for so long that the next one should wait. Called before each of them. */
  isHandlingTimeOver(): boolean {
    const now = this.#clock.now()
    this.#handlingSince ??= now
    if (!this.#isResetPlanned) this.#planReset()
    return now - this.#handlingSince >= HANDLING_TIME
  }

  /** Counts a call that sends nothing. Returns what its caller has to wait for, if anything. */
  spendCall(): Promise<void> | undefined {
    this.spend(IDLE_BYTES)
    return this.isFullFor(0) ? this.next() : undefined
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

  /** Calls in the next turn, to handle waiting events; if its time is over before, behind the same others in a later one. */
  handleLater(call: () => void): void {
    this.#later.push(call)
    this.#planHandling()
  }

  #planHandling(): void {
    if (this.#isHandlingPlanned || this.#later.length === 0) return
    this.#isHandlingPlanned = true
    this.#clock.nextTurn(() => {
      this.#isHandlingPlanned = false
      try {
        for (let left = this.#later.length; left > 0 && !this.isHandlingTimeOver(); left--) this.#later.shift()?.()
      } finally {
        this.#planHandling()
      }
    })
  }

  #planReset(): void {
    this.#isResetPlanned = true
    this.#clock.nextTurn(() => {
      this.#isResetPlanned = false
      this.#bytes = 0
      this.#handlingSince = undefined
    })
  }
}
