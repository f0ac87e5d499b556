import type { QueueEvent } from './queue-event'

/** Events of a queue that wait for a member, and that the same members may have, in order. */
export class Lane {
  #events: (QueueEvent | undefined)[] = []
  #head = 0

  get first(): QueueEvent | undefined {
    return this.#events[this.#head]
  }

  get length(): number {
    return this.#events.length - this.#head
  }

  /** Adds an event, behind those with lower places. */
  add(event: QueueEvent): void {
    const last = this.#events.at(-1)
    if (!last || last.place < event.place) return void this.#events.push(event)
    // Events come back from members in order, and had been first when they were given.
    let index = this.#head
    while ((this.#events[index]?.place ?? Number.POSITIVE_INFINITY) < event.place) index++
    if (index === this.#head && index > 0) this.#events[--this.#head] = event
    else this.#events.splice(index, 0, event)
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

  /** Removes an event. Returns whether it was there. Takes linear time. */
  remove(event: QueueEvent): boolean {
    const index = this.#events.lastIndexOf(event)
    if (index < this.#head) return false
    this.#events.splice(index, 1)
    return true
  }
}
