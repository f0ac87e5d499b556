/** What is compared with what, by which figure. */
export interface Row {
  readonly id: string
  readonly title: string
  /** The unit of the figure. */
  readonly unit: Unit
  readonly figure: string
  /** The trials. Without `theirs` the figure itself is what the bound is for. */
  readonly ours: string
  readonly theirs?: string
  /** Who it is compared with, for the reader. */
  readonly rival: string
  /** None, if the row is only to be shown. */
  readonly bound?: Bound
}

/** Of our figure, or of the ratio of ours to theirs. */
export type Bound = { readonly atLeast: number } | { readonly atMost: number }

export const UNITS = ['events/s', 'requests/s', 'MiB/s', 'µs', 'CPU s per million', 'ms', 'KiB'] as const

export type Unit = (typeof UNITS)[number]

/** What a figure has to be divided by to be in its unit. */
export const DIVISORS: Readonly<Record<Unit, number>> = {
  'events/s': 1,
  'requests/s': 1,
  'MiB/s': 2 ** 20,
  µs: 1,
  'CPU s per million': 1,
  ms: 1,
  KiB: 2 ** 10,
}

export function keeps(bound: Bound, value: number): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost
}
