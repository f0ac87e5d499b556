// The package's other modules take each process of a bench longer to load than all of the bench.
import Int32Histogram from 'hdr-histogram-js/dist/Int32Histogram'

/** Histograms count tenths of microseconds, up to seven minutes. */
const UNITS = 10
const MOST = 4_000_000_000
const DIGITS = 3

/** A histogram of microseconds, to three digits. */
export class Latencies {
  readonly #histogram = new Int32Histogram(1, MOST, DIGITS)

  private constructor() {}

  static none(): Latencies {
    return new Latencies()
  }

  /** Merges encoded histograms. */
  static of(encoded: readonly string[]): Latencies {
    const all = Latencies.none()
    for (const counts of encoded.flatMap((each) => each.split(' ')).filter((each) => each !== '')) {
      const [value, count] = counts.split(':')
      all.#histogram.recordValueWithCount(Number(value), Number(count))
    }
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
    const counts: string[] = []
    const recorded = this.#histogram.recordedValuesIterator
    recorded.reset()
    while (recorded.hasNext()) {
      const { valueIteratedTo, countAtValueIteratedTo } = recorded.next()
      counts.push(`${valueIteratedTo}:${countAtValueIteratedTo}`)
    }
    return counts.join(' ')
  }
}
