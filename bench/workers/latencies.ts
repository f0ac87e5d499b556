import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** Tenths of microseconds: what is counted in a histogram, up to seven minutes. */
const UNITS = 10
const MOST = 4_000_000_000

/** How long things took, to three digits. */
export class Latencies {
  readonly #histogram: Histogram

  private constructor(histogram: Histogram) {
    this.#histogram = histogram
  }

  static none(): Latencies {
    return new Latencies(
      build({
        bitBucketSize: 32,
        lowestDiscernibleValue: 1,
        highestTrackableValue: MOST,
        numberOfSignificantValueDigits: 3,
      }),
    )
  }

  /** All of several that have been encoded. */
  static of(encoded: readonly string[]): Latencies {
    const all = Latencies.none()
    for (const each of encoded) all.#histogram.add(decodeFromCompressedBase64(each, 32))
    return all
  }

  add(microseconds: number, count = 1): void {
    this.#histogram.recordValueWithCount(Math.min(MOST, Math.max(0, Math.round(microseconds * UNITS))), count)
  }

  /** Microseconds; 0 if there are none. */
  percentile(percent: number): number {
    return this.#histogram.getValueAtPercentile(percent) / UNITS
  }

  /** Microseconds; 0 if there are none. */
  get max(): number {
    return this.#histogram.maxValue / UNITS
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }
}
