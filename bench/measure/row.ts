import * as v from 'valibot'

const UNITS = ['events/s', 'requests/s', 'MiB/s', 'µs', 'CPU s per million', 'ms', 'KiB'] as const

/** For our figure or, with a rival, for the ratio of ours to theirs. */
const Bound = v.union([v.object({ atLeast: v.number() }), v.object({ atMost: v.number() })])

/** A row of a comparison: which figure of which trials is compared. */
export const Row = v.object({
  id: v.string(),
  title: v.string(),
  unit: v.picklist(UNITS),
  figure: v.string(),
  /** The id of a trial. */
  ours: v.string(),
  /** The id of a trial; without it, the bound is for our figure itself. */
  theirs: v.exactOptional(v.string()),
  /** For the reader. */
  rival: v.string(),
  /** Without it, the row is only shown. */
  bound: v.exactOptional(Bound),
})

export type Bound = Readonly<v.InferOutput<typeof Bound>>

export type Row = Readonly<v.InferOutput<typeof Row>>

/** Converts a figure in bytes to the unit of its row. */
export function inUnit(value: number, unit: Row['unit']): number {
  return value / (unit === 'MiB/s' ? 2 ** 20 : unit === 'KiB' ? 2 ** 10 : 1)
}

export function keeps(bound: Bound, value: number): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost
}
