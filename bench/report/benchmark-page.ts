import type { Comparison } from '../measure/comparison'
import { quantity } from '../measure/quantity'
import { ALIGNS, cellsOf } from './comparison-table'

const HEAD = ['measure', 'unit', 'lahja', 'against', 'theirs', 'ratio', 'bound', '']

/** Comparisons as a page of Markdown. */
export function benchmarkPage(comparisons: readonly Comparison[], picture: string): string {
  return [
    '# lahja compared with the alternatives',
    `![Deliveries per second of lahja and what it is compared with](${picture})`,
    'Real processes over real sockets. The same code checks for all contenders that every event arrives once and in ' +
      'order; a run with a fault has no figures. Broadcasts and requests are measured after a warm-up, broadcasts at ' +
      'their receivers. The contenders take turns in each round, and a failed one is left out of the remaining rounds. ' +
      'Figures are medians of the rounds, with the minimum and the maximum; ratios are computed within each round. Bars ' +
      'start at zero, and the lines on them reach from the minimum to the maximum.',
    ...comparisons.map(sectionOf),
  ].join('\n\n')
}

function sectionOf({ command, date, machine, node, rounds, outcomes, settings }: Comparison): string {
  const rule = ALIGNS.map((align) => (align === 'right' ? '--:' : '---'))
  const table = [HEAD, rule, ...outcomes.map(cellsOf)].map(lineOf).join('\n')
  const where = `${date.slice(0, 10)}, ${quantity(rounds, 'round')} on ${machine}, Node ${node}.`
  const legend = Object.entries(settings).map(([name, text]) => `- **${name}**: ${text}`)
  return [`## \`${command}\``, where, table, ...(legend.length > 0 ? [legend.join('\n')] : [])].join('\n\n')
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
