import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** Histograms count tenths of microseconds, up to seven minutes. */
const UNITS = 10
const MOST = 4_000_000_000

/** A histogram of microseconds, to three digits. */
export class Latencies {
  readonly #histogram: Histogram

  private constructor(histogram: Histogram) {
    this.#histogram = histogram
  }

  static none(): Latencies {
    return new Latencies(build({ highestTrackableValue: MOST }))
  }

  /** Merges encoded histograms. */
  static of(encoded: readonly string[]): Latencies {
    const all = Latencies.none()
    for (const each of encoded) all.#histogram.add(decodeFromCompressedBase64(each, 32))
    return all
  }

  add(microseconds: number, count = 1): void {
    this.#histogram.recordValueWithCount(Math.min(MOST, Math.max(0, Math.round(microseconds * UNITS))), count)
  }

  /** 0 if there are none. */
  percentile(percent: number): number {
    return this.#histogram.getValueAtPercentile(percent) / UNITS
  }

  /** 0 if there are none. */
  get max(): number {
    return this.#histogram.maxValue / UNITS
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }
}
