import type { HistoryRecord, RecordOf } from '../record'
import { Life, type Subscribed } from './life'

/** What takes time that no endpoint can help. */
const DISTURBANCES = ['frozen', 'killed', 'cut', 'unpublished', 'disturbed']

/** A history, put in order for those who judge it. */
export class Case {
  readonly records: readonly HistoryRecord[]
  readonly lives = new Map<string, Life>()
  readonly #ids = new Map<string, Life>()
  /** Places at which everything that was sent had had the time to arrive. */
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

  /** Whose id this is; nobody's that has started, perhaps. */
  withId(id: string): Life | undefined {
    return this.#ids.get(id)
  }

  *subscriptions(): Generator<Subscribed> {
    for (const life of this.lives.values()) yield* life.subscriptions.values()
  }

  /** What that endpoint knew of the others at that time, if it was asked. */
  viewOf(label: string, at: number): RecordOf<'acquainted'> | undefined {
    return this.#views.get(`${label} ${at}`)
  }

  /** Has anything happened between the two places that takes time no endpoint can help? */
  isDisturbed(from: number, to: number): boolean {
    const next =
      this.#disturbances[lowerBound(this.#disturbances.length, (place) => (this.#disturbances[place] ?? 0) >= from)]
    return next !== undefined && next < to
  }

  /** The place of the first record after that time. */
  placeAfter(time: number): number {
    return lowerBound(this.records.length, (place) => this.time(place) > time)
  }

  /** When that record was made. */
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
