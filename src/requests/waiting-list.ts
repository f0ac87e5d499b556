/** A queue for several places at once: the next item for a place is found without walking past items for others. */
export class WaitingList<Waiting, Place> {
  readonly #places = new Map<Waiting, readonly Place[]>()
  readonly #queues = new Map<Place, Set<Waiting>>()

  /** All items, in order. */
  get all(): Iterable<Waiting> {
    return this.#places.keys()
  }

  /** The items that wait for a place, in order. */
  at(place: Place): Iterable<Waiting> {
    return this.#queues.get(place) ?? []
  }

  /** Adds an item at the end. One that waits already keeps its turn, and waits for these places from now on. */
  join(waiting: Waiting, places: readonly Place[]): void {
    for (const place of this.#places.get(waiting) ?? []) if (!places.includes(place)) this.#drop(waiting, place)
    this.#places.set(waiting, places)
    for (const place of places) {
      const queue = this.#queues.get(place)
      if (queue) queue.add(waiting)
      else this.#queues.set(place, new Set([waiting]))
    }
  }

  leave(waiting: Waiting): void {
    for (const place of this.#places.get(waiting) ?? []) this.#drop(waiting, place)
    this.#places.delete(waiting)
  }

  #drop(waiting: Waiting, place: Place): void {
    const queue = this.#queues.get(place)
    queue?.delete(waiting)
    if (queue?.size === 0) this.#queues.delete(place)
  }
}
