/** Picks the least loaded item, round-robin on ties. */
export class Balancer {
  #turn = 0

  pick<Item>(items: readonly Item[], loadOf: (item: Item) => number): Item | undefined {
    this.#turn = (this.#turn + 1) % Math.max(items.length, 1)
    let picked: Item | undefined
    let least = Number.POSITIVE_INFINITY
    for (let index = 0; index < items.length; index++) {
      const item = items[(this.#turn + index) % items.length]
      if (item === undefined) continue
      const load = loadOf(item)
      if (picked !== undefined && load >= least) continue
      picked = item
      least = load
    }
    return picked
  }
}

/** One balancer per name, each with its own turn. */
export class Balancers {
  readonly #balancers = new Map<string, Balancer>()

  of(name: string): Balancer {
    const known = this.#balancers.get(name) ?? new Balancer()
    this.#balancers.set(name, known)
    return known
  }
}
