import * as v from 'valibot'
import { numberOf } from './endpoint-history'

/** Consecutive numbers in the order of their arrival, or, without `first`, a gap of this many events. */
const stretch = v.object({ first: v.optional(v.number()), count: v.number() })

export type Stretch = v.InferOutput<typeof stretch>

export const tallyReport = v.object({
  stretches: v.array(stretch),
  /** Bytes by which the memory of the process grew since the tally began, at most. */
  growth: v.number(),
})

export type TallyReport = v.InferOutput<typeof tallyReport>

/** The received events and gaps of one type, in compact form. */
export class Tally {
  readonly #stretches: { first?: number; count: number }[] = []
  readonly #changed: () => void
  readonly #before = process.memoryUsage.rss()
  #most = 0
  #latest = -1

  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** The number of the last event read. */
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

/** Memory is measured after each this many events. */
export const SAMPLE = 100

/** All received numbers, in order. */
export function numbersIn(stretches: readonly Stretch[]): number[] {
  return stretches.flatMap(({ first, count }) => {
    return first === undefined ? [] : Array.from({ length: count }, (_, index) => first + index)
  })
}

/** The number of events missing in gaps. */
export function missingIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { first, count }) => (first === undefined ? sum + count : sum), 0)
}
