import type { HistoryRecord, RecordOf } from '../record'
import { Life, type Subscribed } from './life'

/** Faults that delay an endpoint. */
const DISTURBANCES = ['frozen', 'killed', 'cut', 'unpublished', 'disturbed']

/** A history, indexed for the judges. */
export class JudgedHistory {
  readonly records: readonly HistoryRecord[]
  readonly lives = new Map<string, Life>()
  readonly #ids = new Map<string, Life>()
  /** Indexes at which everything sent had had time to arrive. */
  readonly quiet: number[] = []
  readonly #disturbances: number[] = []
  readonly #views = new Map<string, RecordOf<'acquainted'>>()

  constructor(records: readonly HistoryRecord[]) {
    this.records = records
    for (const [index, record] of records.entries()) {
      if (DISTURBANCES.includes(record.kind)) this.#disturbances.push(index)
      if (record.kind === 'acquainted') this.#views.set(`${record.endpoint} ${record.at}`, record)
      if (record.kind === 'starting') this.lives.set(record.endpoint, new Life({ index, record }))
      else if (record.kind === 'quiet') this.quiet.push(index)
      else this.lives.get(record.endpoint)?.note(record, index)
    }
    for (const life of this.lives.values()) if (life.id !== undefined) this.#ids.set(life.id, life)
  }

  /** The endpoint with this id, if it has started. */
  withId(id: string): Life | undefined {
    return this.#ids.get(id)
  }

  *subscriptions(): Generator<Subscribed> {
    for (const life of this.lives.values()) yield* life.subscriptions.values()
  }

  /** The peers that the endpoint recorded at this time. */
  viewOf(label: string, at: number): RecordOf<'acquainted'> | undefined {
    return this.#views.get(`${label} ${at}`)
  }

  /** Whether there was a fault between the two indexes. */
  isDisturbed(from: number, to: number): boolean {
    const next =
      this.#disturbances[lowerBound(this.#disturbances.length, (place) => (this.#disturbances[place] ?? 0) >= from)]
    return next !== undefined && next < to
  }

  /** The index of the first record after this time. */
  placeAfter(time: number): number {
    return lowerBound(this.records.length, (place) => this.time(place) > time)
  }

  /** The time of a record. */
  time(index: number): number {
    return this.records[index]?.at ?? Number.POSITIVE_INFINITY
  }
}

/** The first of so many places from which on the condition holds; their number, if there is none. */
function lowerBound(length: number, holds: (place: number) => boolean): number {
  let from = 0
  let to = length
  while (from < to) {
    const middle = (from + to) >> 1
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}
