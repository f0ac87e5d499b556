// Not from the package's index: its text formats take longer to load than all else that a worker needs.
import Histogram from 'hdr-histogram-js/dist/Int32Histogram'
import RecordedValuesIterator from 'hdr-histogram-js/dist/RecordedValuesIterator'
import { array, number, parse, pipe, string, transform, tuple } from 'valibot'

/** Histograms count tenths of microseconds, up to seven minutes. */
const UNITS = 10
const MOST = 4_000_000_000

const Encoded = pipe(
  string(),
  transform((text) => JSON.parse(text)),
  array(tuple([number(), number()])),
)

/** A histogram of microseconds, to three digits. */
export class Latencies {
  readonly #histogram = new Histogram(1, MOST, 3)

  static none(): Latencies {
    return new Latencies()
  }

  /** Merges encoded histograms. */
  static of(encoded: readonly string[]): Latencies {
    const all = Latencies.none()
    for (const each of encoded) {
      for (const [value, count] of parse(Encoded, each)) all.#histogram.recordValueWithCount(value, count)
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

  /** Each value that was recorded, with its count, as JSON. */
  encode(): string {
    const recorded: [value: number, count: number][] = []
    const values = new RecordedValuesIterator(this.#histogram)
    while (values.hasNext()) {
      const { valueIteratedTo, countAtValueIteratedTo } = values.next()
      recorded.push([valueIteratedTo, countAtValueIteratedTo])
    }
    return JSON.stringify(recorded)
  }
}
