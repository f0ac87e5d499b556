import type { QueueEvent } from './queue-event'

/** The most that have left and are still looked past, besides as many as wait. */
const MOST_LEFT = 1000

/** Events in the order of their places. Unlike in a set, the first is found at once, however many have left before it. */
export class ParkedEvents {
  readonly #events = new Set<QueueEvent>()
  /** With those that have left meanwhile. */
  #inOrder: QueueEvent[] = []
  #head = 0

  get size(): number {
    return this.#events.size
  }

  get first(): QueueEvent | undefined {
    for (let event = this.#inOrder[this.#head]; event; event = this.#inOrder[++this.#head]) {
      if (this.#events.has(event)) return event
    }
    return undefined
  }

  *[Symbol.iterator](): Generator<QueueEvent> {
    // One that has come back is in it twice.
    for (const event of new Set(this.#inOrder.slice(this.#head))) if (this.#events.has(event)) yield event
  }

  has(event: QueueEvent): boolean {
    return this.#events.has(event)
  }

  /** Adds an event, behind those with lower places. */
  add(event: QueueEvent): void {
    this.#events.add(event)
    let index = this.#inOrder.length
    // Nearly all come in order.
    while (index > this.#head && (this.#inOrder[index - 1]?.place ?? 0) > event.place) index--
    if (index === this.#inOrder.length) this.#inOrder.push(event)
    else this.#inOrder.splice(index, 0, event)
  }

  /** Returns whether it was there. */
  delete(event: QueueEvent): boolean {
    if (!this.#events.delete(event)) return false
    if (this.#inOrder.length > 2 * this.#events.size + MOST_LEFT) {
      this.#inOrder = [...this]
      this.#head = 0
    }
    return true
  }
}
