/** Measures how long events take: how many a member has handled, and for how long it has had some to handle. */
export class WorkTime {
  #handled = 0
  /** How many they were when they were counted last. */
  #counted = 0
  /** When the time began that has not been counted. */
  #since = 0
  /** When the last events were done that had begun together. */
  #doneAt = 0
  #isWorking = false

  /** Events handled so far. */
  get handled(): number {
    return this.#handled
  }

  onHandled(): void {
    this.#handled++
  }

  /** Events begin. All times are milliseconds of the same clock. */
  onBegun(now: number): void {
    if (!this.#isWorking) this.#since = now
    this.#isWorking = true
  }

  /** Those that began together are done. */
  onDone(now: number): void {
    this.#doneAt = now
  }

  /** Milliseconds of work since the last count. */
  elapsed(now: number): number {
    return now - this.#since
  }

  /**
   * Counts what has been handled since the last count, and for how long.
   *
   * @param isOver whether none is being handled any more: what comes until one begins is no work
   */
  count(now: number, isOver: boolean): { readonly events: number; readonly elapsed: number } {
    const events = this.#handled - this.#counted
    const elapsed = Math.max(this.elapsed(isOver ? this.#doneAt : now), 0)
    if (isOver) this.#isWorking = false
    if (events > 0) {
      this.#counted = this.#handled
      this.#since = now
    }
    return { events, elapsed }
  }
}
