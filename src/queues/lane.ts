import type { QueueEvent } from './queue-event'
import type { Receivers } from './receivers'

/** Events of a queue that wait for a member, and that the same members may have, in order. */
export class Lane {
  readonly key: string
  readonly receivers: Receivers
  #events: (QueueEvent | undefined)[] = []
  #head = 0

  /** @param key of its receivers */
  constructor(key: string, receivers: Receivers) {
    this.key = key
    this.receivers = receivers
  }

  get first(): QueueEvent | undefined {
    return this.#events[this.#head]
  }

  get length(): number {
    return this.#events.length - this.#head
  }

  *[Symbol.iterator](): Generator<QueueEvent> {
    for (const event of this.#events) if (event) yield event
  }

  /** Adds an event, behind those with lower places. */
  add(event: QueueEvent): void {
    const last = this.#events.at(-1)
    if (!last || last.place < event.place) this.#events.push(event)
    else this.#events.splice(this.#placeFor(event), 0, event)
  }

  /** Adds events, each behind those with lower places. Takes as long for one as for many. */
  addAll(events: readonly QueueEvent[]): void {
    // Sorting takes linear time, as both parts are in order.
    this.#events = [...this, ...events].sort(byPlace)
    this.#head = 0
  }

  /** By bisection, as all behind the head are in order. */
  #placeFor({ place }: QueueEvent): number {
    let low = this.#head
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const event = this.#events[middle]
      if (event && event.place < place) low = middle + 1
      else high = middle
    }
    return low
  }

  shift(): QueueEvent | undefined {
    const event = this.first
    if (event === undefined) return undefined
    this.#events[this.#head++] = undefined
    if (this.#head * 2 > this.#events.length && this.#head > 1000) {
      this.#events = this.#events.slice(this.#head)
      this.#head = 0
    }
    return event
  }

  /** Removes an event. Returns whether it was there. */
  remove(event: QueueEvent): boolean {
    if (event === this.first) return this.shift() !== undefined
    for (let index = this.#placeFor(event); this.#events[index]?.place === event.place; index++) {
      if (this.#events[index] !== event) continue
      this.#events.splice(index, 1)
      return true
    }
    return false
  }
}

export function byPlace(one: QueueEvent, other: QueueEvent): number {
  return one.place - other.place
}
