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

/**
 * The keys of a map that are in the runs. However long the runs are, and however many of them overlap, it takes about as long
 * as to sort them and the keys.
 */
export function* keysIn(lengths: RunLengths, map: ReadonlyMap<number, unknown>): Generator<number> {
  const runs: Run[] = []
  let total = 0
  for (let index = 0; index < lengths.length; index += 2) {
    const first = lengths[index] ?? 0
    const count = lengths[index + 1] ?? 0
    runs.push({ first, count })
    total += count
  }
  if (total > map.size) return yield* keysInSome(runs, [...map.keys()])
  // Beyond the safe integers, a number plus one is the same number.
  for (const { first, count } of runs) {
    for (let offset = 0; offset < count; offset++) if (map.has(first + offset)) yield first + offset
  }
}

interface Run {
  readonly first: number
  readonly count: number
}

function* keysInSome(runs: Run[], keys: number[]): Generator<number> {
  runs.sort((one, other) => one.first - other.first)
  keys.sort((one, other) => one - other)
  let next = 0
  let end = 0
  for (const key of keys) {
    for (let run = runs[next]; run && run.first <= key; run = runs[++next]) end = Math.max(end, run.first + run.count)
    if (key < end) yield key
  }
}
