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
    if (!last || last.place < event.place) this.#events.push(event)
    else this.addAll([event])
  }

  /** Adds events, among the others by their places. Takes linear time: many come back when a member is gone. */
  addAll(events: readonly QueueEvent[]): void {
    const merged: QueueEvent[] = []
    let index = this.#head
    for (const event of [...events].sort((one, other) => one.place - other.place)) {
      for (let next = this.#events[index]; next && next.place < event.place; next = this.#events[++index]) {
        merged.push(next)
      }
      merged.push(event)
    }
    this.#events = [...merged, ...this.#events.slice(index)]
    this.#head = 0
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
