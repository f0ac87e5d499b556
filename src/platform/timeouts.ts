import type { Clock, Timer } from './clock'

/** Places from which on the list of a timeout is cleared of those that are free. */
const MAX_FREE = 64

/** Timeouts that nobody has at present, and whose timer is kept for the next who has. */
const MAX_IDLE = 16

/** Something that ends after a while, unless it is removed before. */
export interface Expiring {
  /** Where it is kept. Only for `Timeouts`. */
  ticket: Ticket | undefined
  expire(): void
}

/** The place of one that expires, and when it does. */
interface Ticket {
  readonly timeout: number
  readonly index: number
  readonly at: number
}

/** Ends many things after a while, with one timer for all that have the same timeout: a timer each costs more than a request. */
export class Timeouts<Entry extends Expiring> {
  readonly #clock: Clock
  readonly #queues = new Map<number, TimeoutQueue<Entry>>()
  #idle = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Everything that has not expired, in no order. */
  *[Symbol.iterator](): Generator<Entry> {
    for (const queue of this.#queues.values()) yield* queue
  }

  /** @param timeout milliseconds */
  add(entry: Entry, timeout: number): void {
    const known = this.#queues.get(timeout)
    if (known?.isEmpty) this.#idle--
    const queue = known ?? this.#open(timeout)
    queue.add(entry)
  }

  remove(entry: Entry): void {
    const { ticket } = entry
    const queue = ticket && this.#queues.get(ticket.timeout)
    if (!queue) return
    queue.remove(entry, ticket)
    if (!queue.isEmpty) return
    this.#idle++
    if (this.#idle > MAX_IDLE || !queue.unref()) this.#forget(queue)
  }

  #open(timeout: number): TimeoutQueue<Entry> {
    const queue: TimeoutQueue<Entry> = new TimeoutQueue<Entry>(timeout, this.#clock, () => this.#forget(queue))
    this.#queues.set(timeout, queue)
    return queue
  }

  #forget(queue: TimeoutQueue<Entry>): void {
    if (this.#queues.get(queue.timeout) !== queue) return
    this.#queues.delete(queue.timeout)
    this.#idle--
    queue.close()
  }
}

/** What expires after the same timeout, in order. */
class TimeoutQueue<Entry extends Expiring> {
  readonly timeout: number
  readonly #clock: Clock
  readonly #onUnused: () => void
  #places: (Entry | undefined)[] = []
  /** The index of the first place. */
  #base = 0
  #size = 0
  #timer: Timer | undefined

  /** @param unused called when the timer is over and nothing is left */
  constructor(timeout: number, clock: Clock, unused: () => void) {
    this.timeout = timeout
    this.#clock = clock
    this.#onUnused = unused
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const entry of this.#places) if (entry) yield entry
  }

  add(entry: Entry): void {
    const { timeout } = this
    entry.ticket = { timeout, index: this.#base + this.#places.length, at: this.#clock.now() + timeout }
    this.#places.push(entry)
    if (this.#size++ > 0) return
    if (this.#timer) this.#timer.keepAlive?.(true)
    else this.#arm(this.timeout)
  }

  remove(entry: Entry, { index }: Ticket): void {
    entry.ticket = undefined
    this.#places[index - this.#base] = undefined
    this.#size--
    if (this.#places.length > 2 * this.#size + MAX_FREE) this.#compact()
  }

  /** Nothing is left: the timer must not keep the process alive. Returns whether it can be kept. */
  unref(): boolean {
    this.#timer?.keepAlive?.(false)
    return this.#timer?.keepAlive !== undefined
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #compact(): void {
    const places = this.#places
    this.#base += places.length
    this.#places = []
    for (const entry of places) {
      if (!entry?.ticket) continue
      entry.ticket = { ...entry.ticket, index: this.#base + this.#places.length }
      this.#places.push(entry)
    }
  }

  /** A turn later, as what has arrived by then may end some. */
  #arm(delay: number): void {
    this.#timer = this.#clock.after(delay, () => this.#clock.nextTurn(() => this.#expire()), true)
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    const due: Entry[] = []
    for (const entry of this.#places) {
      if (!entry?.ticket) continue
      if (entry.ticket.at > now) break
      due.push(entry)
    }
    try {
      // One may remove others.
      for (const entry of due) if (entry.ticket) entry.expire()
    } finally {
      this.#armNext()
    }
  }

  /** Only now: what expires may have added others, for which nothing was armed as long as there were more. */
  #armNext(): void {
    if (this.isEmpty) return this.#onUnused()
    const next = this.#places.find((entry) => entry?.ticket)?.ticket
    if (next && !this.#timer) this.#arm(Math.max(0, next.at - this.#clock.now()))
  }
}
