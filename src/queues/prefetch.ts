/** Milliseconds of work that a member takes ahead: some round trips to its senders, so that it needn't wait for them. */
const WORK_AHEAD = 10

/** The most events that it takes ahead. */
const MOST_AHEAD = 2000

/** Before it knows how long an event takes. */
const FIRST = 1

/** How much the last events count, 0 to 1, where they were faster than those before. */
const WEIGHT = 0.5

/** How many events a member takes ahead of those that it handles: as many as it handles in some milliseconds. */
export class Prefetch {
  static readonly first = FIRST
  #events = FIRST
  /** Milliseconds for an event. */
  #pace: number | undefined
  /** That of the last events alone. */
  #last = Number.POSITIVE_INFINITY

  /** How many events it takes ahead, of all senders together. */
  get events(): number {
    return this.#events
  }

  /**
   * It has handled so many events within so many milliseconds. It adapts to faster ones bit by bit, and to slower ones once the
   * next are slow too.
   */
  onHandled(events: number, elapsed: number): void {
    const last = elapsed / events
    // Once, it may have been another process that has had the processor.
    const pace = Math.min(last, this.#last)
    this.#last = last
    const before = this.#pace ?? 0
    this.#adapt(pace >= before ? pace : before + WEIGHT * (pace - before))
  }

  /** It has been handling one event for so many milliseconds. */
  onStalled(elapsed: number): void {
    this.#last = elapsed
    this.#adapt(elapsed)
  }

  #adapt(pace: number): void {
    this.#pace = pace
    this.#events = Math.min(Math.floor(WORK_AHEAD / pace), MOST_AHEAD)
  }
}
