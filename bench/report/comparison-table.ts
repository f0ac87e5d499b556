import Table from 'cli-table3'
import type { Comparison, Outcome } from '../measure/comparison'
import { median } from '../measure/median'
import type { Bound } from '../measure/row'

const HEAD = ['measure', 'unit', 'lahja', 'against', '', 'ratio', 'bound', '']

/** The outcome as people read it. */
export function comparisonReport({ outcomes, settings, rounds, machine, node }: Comparison): string {
  const table = new Table({
    head: HEAD,
    colAligns: ['left', 'left', 'right', 'left', 'right', 'right', 'left', 'left'],
    style: { head: [], border: [], compact: true },
  })
  for (const outcome of outcomes) table.push(cellsOf(outcome))
  const legend = Object.entries(settings).map(([name, text]) => `${name}: ${text}`)
  const where = `Medians of ${rounds} round${rounds === 1 ? '' : 's'} (least–most) on ${machine}, Node ${node}.`
  return [table.toString(), ...legend, where].join('\n')
}

/** One row: figures are medians of the rounds, with the least and the most of them. */
export function cellsOf(outcome: Outcome): string[] {
  const { title, unit, our, rival, their, theirs, reached, bound } = outcome
  return [
    title,
    unit,
    spread(our),
    rival,
    theirs === undefined ? '' : spread(their),
    theirs === undefined || reached.length === 0 ? '' : `${spread(reached)}`,
    bound ? boundText(bound) : '',
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

export function boundText(bound: Bound): string {
  return 'atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`
}
