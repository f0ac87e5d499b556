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
    const turn = ((this.#turns.get(name) ?? 0) + 1) % items.length
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
