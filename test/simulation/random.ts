/** Random numbers (sfc32): the same for one seed on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = 0x9e3779b9 | 0
    for (let round = 0; round < 12; round++) this.#next()
  }

  /** In [0, 1). */
  float(): number {
    return this.#next() / 2 ** 32
  }

  /** A whole number from the first to the last. */
  between(first: number, last: number): number {
    return first + Math.floor(this.float() * (last - first + 1))
  }

  chance(probability: number): boolean {
    return this.float() < probability
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item
  pick<Item>(items: readonly Item[]): Item | undefined
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.float() * items.length)]
  }

  /** A random key, by weight. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key {
    const values: number[] = Object.values(weights)
    let rest = this.float() * values.reduce((sum, weight) => sum + weight, 0)
    for (const key in weights) {
      rest -= weights[key]
      if (rest < 0) return key
    }
    throw new RangeError('expected a weight above zero')
  }

  /** A generator whose numbers do not depend on later draws from this one. */
  fork(): Random {
    return new Random(this.#next() * 2 ** 21 + (this.#next() >>> 11))
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }
}
