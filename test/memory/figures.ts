import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROWS, type Row } from './rows'

const PAGE = join(__dirname, '..', '..', 'docs', 'reliability.md')
const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 * 1024 }

/** The bytes that docs/reliability.md gives for each row, or each of its items, in the order of its table. */
export function documentedFigures(): ReadonlyMap<string, number> {
  const lines = readFileSync(PAGE, 'utf8').matchAll(/^\| (.+) \| (.+) \| ([\d.,]+) (B|KiB|MiB)(?: each)? \|$/gm)
  return new Map(
    [...lines].map(([, bound = '', worst = '', figure = '', unit = '']) => {
      return [
        `${bound.replaceAll('`', '')}: ${worst}`,
        Number(figure.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN),
      ]
    }),
  )
}

/** What the table calls a row. */
export function nameOf({ bound, worst }: Row): string {
  return `${bound}: ${worst}`
}

/** The documented bytes of a row. */
export function figureOf(row: Row): number {
  const figure = documentedFigures().get(nameOf(row))
  if (figure === undefined) throw new RangeError(`expected '${nameOf(row)}' in docs/reliability.md`)
  return figure
}

export const ROW_NAMES = ROWS.map(nameOf)
