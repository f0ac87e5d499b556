/** A list of items that each wait for any of several places. Finding the next item of a place skips no others. */
export class WaitingList<Item, Place> {
  readonly #places = new Map<Item, readonly Place[]>()
  readonly #queues = new Map<Place, Set<Item>>()

  /** All items, in order. */
  get all(): Iterable<Item> {
    return this.#places.keys()
  }

  /** The items that wait for this place, in order. */
  at(place: Place): Iterable<Item> {
    return this.#queues.get(place) ?? []
  }

  /** Adds an item at the end. An item in the list keeps its turn, and waits for these places from now on. */
  join(item: Item, places: readonly Place[]): void {
    for (const place of this.#places.get(item) ?? []) if (!places.includes(place)) this.#drop(item, place)
    this.#places.set(item, places)
    for (const place of places) {
      const queue = this.#queues.get(place)
      if (queue) queue.add(item)
      else this.#queues.set(place, new Set([item]))
    }
  }

  leave(item: Item): void {
    for (const place of this.#places.get(item) ?? []) this.#drop(item, place)
    this.#places.delete(item)
  }

  #drop(item: Item, place: Place): void {
    const queue = this.#queues.get(place)
    queue?.delete(item)
    if (queue?.size === 0) this.#queues.delete(place)
  }
}
