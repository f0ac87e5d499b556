/** How many events a member has handled, and the milliseconds in which it has had some to handle. */
export interface Work {
  readonly events: number
  readonly elapsed: number
}

/** Measures how long the events of a member take. All times are milliseconds of the same clock. */
export class WorkTime {
  #handled = 0
  /** How many they were at the end of the last sample. */
  #counted = 0
  /** Milliseconds of work since then, up to `#since`. */
  #elapsed = 0
  #since = 0
  /** When the last events were done that had begun together. */
  #doneAt = 0
  /** The longest time that one has taken since the last sample. */
  #longest = 0
  #isWorking = false

  /** Events handled so far. */
  get handled(): number {
    return this.#handled
  }

  onHandled(): void {
    this.#handled++
  }

  /** Events begin. */
  onBegun(now: number): void {
    if (!this.#isWorking) this.#since = now
    this.#isWorking = true
  }

  /** Those are done that had begun together. */
  onDone(now: number, begunAt: number): void {
    this.#doneAt = now
    this.#longest = Math.max(this.#longest, now - begunAt)
  }

  /** Milliseconds of work since the last sample. */
  elapsed(now: number): number {
    return this.#elapsed + Math.max(now - this.#since, 0)
  }

  /**
   * The work since the last sample, once that is as long as the longest event: those that are handled side by side end side by
   * side.
   *
   * @param isOver whether none is being handled any more: the time until one begins is no work
   */
  sample(now: number, isOver: boolean): Work | undefined {
    this.#elapsed = this.elapsed(isOver ? this.#doneAt : now)
    this.#since = now
    if (isOver) this.#isWorking = false
    const events = this.#handled - this.#counted
    if (events === 0 || this.#elapsed < this.#longest) return undefined
    const work = { events, elapsed: this.#elapsed }
    this.#counted = this.#handled
    this.#elapsed = this.#longest = 0
    return work
  }
}
