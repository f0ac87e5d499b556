/** Turns begin anew beyond this, so that a program that keeps inventing names doesn't fill the memory. */
const MAX_NAMES = 10_000

/** Picks the least loaded item, round-robin on ties. */
export class Balancer {
  readonly #turns = new Map<string, number>()

  /** @param name each name has turns of its own */
  pick<Item>(items: readonly Item[], loadOf: (item: Item) => number, name = ''): Item | undefined {
    if (items.length < 2) {
      // So that no name is kept whose last users are gone.
      this.#turns.delete(name)
      return items[0]
    }
    const last = this.#turns.get(name)
    if (last === undefined && this.#turns.size >= MAX_NAMES) this.#turns.clear()
    const turn = ((last ?? 0) + 1) % items.length
    this.#turns.set(name, turn)
    let picked: Item | undefined
    let least = Number.POSITIVE_INFINITY
    for (let index = 0; index < items.length; index++) {
      const item = items[(turn + index) % items.length]
      if (item === undefined) continue
      const load = loadOf(item)
      if (picked !== undefined && load >= least) continue
      picked = item
      least = load
    }
    return picked
  }
}
