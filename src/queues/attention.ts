import type { Clock } from '../platform/clock'

/** Milliseconds for which a member may rely on what it has read. A sender allows more: see `RECALL_TIME`. */
const FRESH = 750

/** Whether a process has lately read all that had arrived: one that was stopped, or busy for long, has not. */
export class Attention {
  readonly #clock: Clock
  /** All that had arrived by then has been read. */
  #at: number
  #next: Promise<void> | undefined

  /** To be created before anything arrives that it is about. */
  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.now()
  }

  /** Whether it has read all that had arrived some time ago. Looks again in good time, as that takes a turn or two. */
  get isFresh(): boolean {
    const age = this.#clock.now() - this.#at
    if (age > FRESH / 2) void this.#read()
    return age <= FRESH
  }

  /** Resolves when it is fresh. */
  async freshen(): Promise<void> {
    // The process may be stopped again and again.
    while (!this.isFresh) await this.#read()
  }

  #read(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      const now = this.#clock.now()
      this.#clock.nextPoll(() => {
        this.#at = now
        this.#next = undefined
        resolve()
      })
    })
    return this.#next
  }
}
