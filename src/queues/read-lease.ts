import type { Clock } from '../platform/clock'

/** Milliseconds for which a member may rely on what it has read. A sender allows more: see `RECALL_TIME`. */
const DURATION = 750

/**
 * Lets a member begin events as long as its process has lately read all that had arrived: one that was stopped, or busy for
 * long, has not, and may have been asked for them.
 */
export class ReadLease {
  readonly #clock: Clock
  /** All that had arrived by then has been read. */
  #at: number
  #renewal: Promise<void> | undefined

  /** To be created before anything arrives that it is about. */
  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.now()
  }

  /** Whether the time is not over since all had been read. Renews it in good time, as that takes a turn or two. */
  get isValid(): boolean {
    const age = this.#clock.now() - this.#at
    if (age > DURATION / 2) void this.#read()
    return age <= DURATION
  }

  /** Resolves when it is valid. */
  async renew(): Promise<void> {
    // The process may be stopped again and again.
    while (!this.isValid) await this.#read()
  }

  #read(): Promise<void> {
    this.#renewal ??= new Promise((resolve) => {
      const now = this.#clock.now()
      this.#clock.nextPoll(() => {
        this.#at = now
        this.#renewal = undefined
        resolve()
      })
    })
    return this.#renewal
  }
}
