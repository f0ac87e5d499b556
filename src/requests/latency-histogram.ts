/** Upper bounds of the buckets but the last, in milliseconds. */
export const LATENCY_BOUNDS = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000,
] as const

/** How long requests have taken. All numbers only grow. */
export interface LatencyStats {
  /** Requests measured. */
  readonly count: number
  /** Milliseconds of all of them. */
  readonly sumMs: number
  /** Upper bounds of the buckets, in milliseconds. The last bucket has none. */
  readonly boundsMs: readonly number[]
  /** Requests in each bucket, one more than bounds. */
  readonly buckets: readonly number[]
}

/** Counts durations in buckets, so that shares of them can be told within a factor of 2.5. */
export class LatencyHistogram {
  readonly #buckets = Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0)
  #count = 0
  #sumMs = 0

  add(ms: number): void {
    const bucket = LATENCY_BOUNDS.findIndex((bound) => ms <= bound)
    const index = bucket < 0 ? LATENCY_BOUNDS.length : bucket
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
    this.#count++
    this.#sumMs += ms
  }

  stats(): LatencyStats {
    return { count: this.#count, sumMs: this.#sumMs, boundsMs: LATENCY_BOUNDS, buckets: [...this.#buckets] }
  }
}
