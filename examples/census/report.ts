import Table from 'cli-table3'
import { COUNTER, INDEXER, LATECOMER, READER } from './events'
import { type Total, totalOf } from './tally'
import { type Line, middleOf, openingsOf } from './text'

/** What a process reports to have read, and what it should have read according to the file. */
export interface Finding {
  readonly name: string
  readonly style: string
  readonly task: string
  readonly total: Total | undefined
  readonly expected: Total
}

export function findingsOf(lines: readonly Line[], totals: ReadonlyMap<string, Total | undefined>): Finding[] {
  const everything = totalOf(lines)
  const find = (name: string, style: string, task: string, expected: Total) => ({
    name,
    style,
    task,
    total: totals.get(name),
    expected,
  })
  return [
    find(READER, 'broadcast', 'all lines', everything),
    find(COUNTER, 'subscribe', 'all lines', everything),
    find(INDEXER, 'to', 'paragraph openings', totalOf(openingsOf(lines))),
    find(LATECOMER, 'stream', 'all since it came', totalOf(restOf(lines, totals.get(LATECOMER)))),
  ]
}

/** From the latecomer's first line on. The reader waits for it in the middle, so that is the line after the middle at the latest. */
function restOf(lines: readonly Line[], total: Total | undefined): readonly Line[] {
  const latest = middleOf(lines) + 1
  return lines.slice(Math.min(total?.from || latest, latest) - 1)
}

export function isAsExpected({ total, expected }: Finding): boolean {
  return total?.checksum === expected.checksum && total.lines === expected.lines && total.words === expected.words
}

export function tableOf(findings: readonly Finding[]): string {
  const table = new Table({
    head: ['process', 'how', 'what', 'from', 'lines', 'words', 'check'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  })
  for (const finding of findings) {
    const { name, style, task, total } = finding
    const counts = total ? [total.from || '-', total.lines, total.words].map(shown) : ['-', '-', '-']
    table.push([name, style, task, ...counts, verdictOn(finding)])
  }
  return table.toString()
}

function verdictOn(finding: Finding): string {
  if (isAsExpected(finding)) return 'right'
  const { from, lines, words } = finding.expected
  return `WRONG: not the ${shown(lines)} lines from ${from} on with ${shown(words)} words`
}

function shown(count: number | string): string {
  return count.toLocaleString('en')
}
