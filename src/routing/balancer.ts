/** Picks the least loaded item, round-robin on ties. */
export class Balancer {
  readonly #turns = new Map<string, number>()

  /** @param name each name has turns of its own */
  pick<Item>(items: readonly Item[], loadOf: (item: Item) => number, name = ''): Item | undefined {
    const turn = ((this.#turns.get(name) ?? 0) + 1) % Math.max(items.length, 1)
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
