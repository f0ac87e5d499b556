/** The most events that a member can have in hand of one sender. */
export const MOST_IN_HAND = 65_536

/** Milliseconds of work that a member takes ahead: some round trips to its senders, so that it needn't wait for them. */
const WORK_AHEAD = 5

/** The most events that it takes ahead. */
const MOST_AHEAD = 1000

/** Before it knows how long an event takes. */
const FIRST = 1

/** How much the last events count for the pace, where they were faster than those before. */
const WEIGHT = 0.25

/** How many events a member takes ahead of those that it handles: as many as it handles in some milliseconds. */
export class Prefetch {
  static readonly first = FIRST
  #events = FIRST
  /** Milliseconds for an event. */
  #pace: number | undefined

  /** How many events it takes ahead, of all senders together. */
  get events(): number {
    return this.#events
  }

  /** It has handled so many events within so many milliseconds. Slower ones count at once, faster ones bit by bit. */
  onHandled(events: number, elapsed: number): void {
    const pace = elapsed / events
    const before = this.#pace ?? 0
    this.#pace = pace >= before ? pace : before + WEIGHT * (pace - before)
    this.#events = Math.min(Math.floor(WORK_AHEAD / this.#pace), MOST_AHEAD)
  }
}
