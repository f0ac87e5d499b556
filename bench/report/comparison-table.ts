import type { Comparison, Outcome } from '../measure/comparison'
import { median } from '../measure/median'
import { quantity } from '../measure/quantity'
import { type Align, tableOf } from './table'

const HEAD = ['measure', 'unit', 'lahja', 'against', '', 'ratio', 'bound', '']

export const ALIGNS: readonly Align[] = ['left', 'left', 'right', 'left', 'right', 'right', 'left', 'left']

/** A comparison for a terminal. */
export function comparisonTable({ outcomes, settings, rounds, machine, node }: Comparison): string {
  const legend = Object.entries(settings).map(([name, text]) => `${name}: ${text}`)
  const where = `Medians of ${quantity(rounds, 'round')} (least–most) on ${machine}, Node ${node}.`
  return [tableOf(HEAD, outcomes.map(cellsOf), ALIGNS), ...legend, where].join('\n')
}

/** The row of an outcome. */
export function cellsOf(outcome: Outcome): string[] {
  const { title, unit, our, rival, their, theirs, reached, bound } = outcome
  return [
    title,
    unit,
    spread(our),
    rival,
    theirs === undefined ? '' : spread(their),
    theirs === undefined ? '' : spread(reached),
    !bound ? '' : 'atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`,
    verdictOf(outcome),
  ]
}

export function verdictOf({ ok, missing, failures, bound }: Outcome): string {
  if (failures.length > 0) return `FAILED: ${failures.map(({ trial, message }) => `${trial}: ${message}`).join('; ')}`
  if (missing.length > 0) return `skipped: ${[...new Set(missing)].join(' && ')}`
  if (!bound) return 'shown'
  return ok ? 'ok' : 'MISSED'
}

/** `median (least–most)` */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return ''
  const middle = format(median(values))
  return values.length === 1 ? middle : `${middle} (${format(Math.min(...values))}–${format(Math.max(...values))})`
}

function format(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}
