/** Numbers as pairs of a first one and how many follow each other from it on: 3, 4, 5 and 9 are `[3, 3, 9, 1]`. */
export type RunLengths = readonly number[]

/** Collects numbers, mostly ascending ones, into runs. */
export class Runs {
  #lengths: number[] = []
  /** The number that would continue the last run. */
  #next = Number.NaN

  get isEmpty(): boolean {
    return this.#lengths.length === 0
  }

  add(number: number): void {
    if (number === this.#next) this.#lengths[this.#lengths.length - 1] = number - (this.#lengths.at(-2) ?? 0) + 1
    else this.#lengths.push(number, 1)
    this.#next = number + 1
  }

  /** Removes and returns the first runs, this many at most. */
  take(runs: number): RunLengths {
    const lengths = this.#lengths.splice(0, 2 * runs)
    if (this.isEmpty) this.#next = Number.NaN
    return lengths
  }
}

/** The keys of a map that are in the runs, in their order there. Takes no longer for runs that are longer than the map. */
export function* keysIn(lengths: RunLengths, map: ReadonlyMap<number, unknown>): Generator<number> {
  for (let index = 0; index < lengths.length; index += 2) {
    const first = lengths[index] ?? 0
    const count = lengths[index + 1] ?? 0
    if (count > map.size) {
      for (const number of [...map.keys()]) if (number >= first && number - first < count) yield number
      continue
    }
    // Beyond the safe integers, a number plus one is the same number.
    for (let offset = 0; offset < count; offset++) if (map.has(first + offset)) yield first + offset
  }
}
