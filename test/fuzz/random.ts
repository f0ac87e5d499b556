/** Random numbers that a seed repeats (xorshift32). */
export class Random {
  #state: number

  constructor(seed: number) {
    // A state of 0 would stay 0.
    this.#state = ((seed >>> 0) % 0xffffffff) | 1
    for (let round = 0; round < 8; round++) this.next()
  }

  /** A whole number of 32 bits. */
  next(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state >>> 0
  }

  /** A whole number from 0 up, less than that. */
  below(count: number): number {
    return this.next() % count
  }

  /** True once in this many times. */
  once(inTimes: number): boolean {
    return this.below(inTimes) === 0
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item
  pick<Item>(items: readonly Item[]): Item | undefined
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)]
  }
}
