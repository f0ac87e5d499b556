import { numberOf } from './journal'
import { fields, listOf, number, optional, type Parser } from './parse'

/** Consecutive numbers in the order in which they came, or how many events were said to be missing there. */
export interface Stretch {
  readonly first?: number | undefined
  readonly count: number
}

export interface TallyReport {
  readonly stretches: readonly Stretch[]
  /** Bytes of memory that the process had more, at most, than when the tally began. */
  readonly growth: number
}

/** What has come of one type, told in few words however much it is. */
export class Tally {
  readonly #stretches: { first?: number; count: number }[] = []
  readonly #changed: () => void
  readonly #before = process.memoryUsage.rss()
  #most = 0
  #latest = -1

  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** The number of the event that has been read last. */
  get latest(): number {
    return this.#latest
  }

  get report(): TallyReport {
    return { stretches: this.#stretches, growth: this.#most - this.#before }
  }

  note(payload: unknown): void {
    const number = numberOf(payload)
    const last = this.#stretches.at(-1)
    if (last?.first !== undefined && last.first + last.count === number) last.count++
    else this.#stretches.push({ first: number, count: 1 })
    this.#latest = number
    if (number % SAMPLE === 0) this.#most = Math.max(this.#most, process.memoryUsage.rss())
    this.#changed()
  }

  noteGap(count: number): void {
    this.#stretches.push({ count })
    this.#changed()
  }
}

/** Every so many events the memory is looked at. */
export const SAMPLE = 100

export const parseTallyReport: Parser<TallyReport> = (value) => {
  const { stretches, growth } = fields(value)
  return { stretches: listOf(parseStretch)(stretches), growth: number(growth) }
}

function parseStretch(value: unknown): Stretch {
  const { first, count } = fields(value)
  return { first: optional(number)(first), count: number(count) }
}

/** All numbers that have come, in order. */
export function numbersIn(stretches: readonly Stretch[]): number[] {
  return stretches.flatMap(({ first, count }) => {
    return first === undefined ? [] : Array.from({ length: count }, (_, index) => first + index)
  })
}

/** How many events were said to be missing. */
export function missingIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { first, count }) => (first === undefined ? sum + count : sum), 0)
}
