/** A call scheduled for a time. */
export interface Appointment {
  readonly at: number
  readonly order: number
  call: () => void
}

/** Calls per batch, each in its own turn of the real event loop. */
const BATCH = 128

/** Calls at one time, far more than a run has: after these, something goes round in circles. */
const MOST_AT_ONCE = 200_000

/** Virtual time: due calls run in order, and take no time. */
export class Timeline {
  readonly #heap: Appointment[] = []
  #now = 0
  /** Calls since time has passed. */
  #callsNow = 0
  #orders = 0

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now
  }

  after(delay: number, call: () => void): Appointment {
    const appointment = { at: this.#now + Math.max(delay, 0), order: this.#orders++, call }
    this.#push(appointment)
    return appointment
  }

  /**
   * Lets time pass up to there. Each call has a turn of the real event loop to itself, so that every promise that it
   * settles, and every promise behind that one, has been seen to before the next. Rejects if time stands still.
   */
  runUntil(time: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false
      const step = () => {
        if (isOver) return
        try {
          if (this.#step(time)) return
          resolve()
        } catch (error) {
          reject(error)
        }
        isOver = true
      }
      const begin = () => {
        if (isOver) return
        for (let count = 0; count < BATCH; count++) setImmediate(step)
        setImmediate(begin)
      }
      begin()
    })
  }

  /** Returns whether a call was due. */
  #step(time: number): boolean {
    const next = this.#heap[0]
    if (!next || next.at > time) {
      this.#now = Math.max(this.#now, time)
      return false
    }
    this.#pop()
    this.#callsNow = next.at > this.#now ? 1 : this.#callsNow + 1
    if (this.#callsNow > MOST_AT_ONCE) throw new Error(`time stands still at ${next.at} ms: calls lead to more calls`)
    this.#now = next.at
    next.call()
    return true
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (!parent || isBefore(parent, appointment)) break
      heap[index] = parent
      index = above
    }
    heap[index] = appointment
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      if (!left) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (isBefore(last, child)) break
      heap[index] = child
      index = 2 * index + (isRight ? 2 : 1)
    }
    heap[index] = last
  }
}

function isBefore(one: Appointment, other: Appointment): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
