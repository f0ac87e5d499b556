import type { Row } from './row'
import type { Trial } from './trial'

/** Trials, and the rows that compare them. */
export interface Suite {
  readonly trials: readonly Trial[]
  readonly rows: readonly Row[]
}

const QUICK_DIVISOR = 50

/** The part of the work, or of a time, that a run with `--quick` does; a whole number of a whole number. */
export function partOf(whole: number, isQuick: boolean): number {
  return isQuick ? Math.ceil(whole / QUICK_DIVISOR) : whole
}

export function joined(suites: readonly Suite[]): Suite {
  return { trials: suites.flatMap(({ trials }) => trials), rows: suites.flatMap(({ rows }) => rows) }
}

/** Keeps the rows that have one of these names, and the trials that they need. All without a name. */
export function narrow({ rows, trials }: Suite, names: readonly string[]): Suite {
  if (names.length === 0) return { rows, trials }
  const wanted = rows.filter((row) => namesOf(row).some((name) => names.includes(name)))
  const needed = new Set(wanted.flatMap(({ ours, theirs }) => [ours, theirs]))
  return { rows: wanted, trials: trials.filter(({ id }) => needed.has(id)) }
}

/** The names that select a row: its own, its group's and its rival's. */
export function namesOf({ id, ours, theirs, rival }: Row): string[] {
  return [id, ours.split('/')[0] ?? '', ...(theirs === undefined ? [] : [rival])]
}
