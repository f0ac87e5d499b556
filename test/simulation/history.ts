import { createHash } from 'node:crypto'
import type { HistoryRecord } from './record'

/** All records of a run, in order. */
export class History {
  readonly #records: HistoryRecord[] = []

  get records(): readonly HistoryRecord[] {
    return this.#records
  }

  add(record: HistoryRecord): void {
    this.#records.push(record)
  }

  /** Equal for equal histories. */
  get hash(): string {
    const hash = createHash('sha256')
    for (const line of this.lines()) hash.update(line).update('\n')
    return hash.digest('hex').slice(0, 16)
  }

  /** One line of JSON for each record. */
  lines(last = this.#records.length): string[] {
    return this.#records.slice(-last).map((record) => JSON.stringify(record))
  }
}
