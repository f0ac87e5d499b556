import type { Comparison } from '../measure/comparison'
import { quantity } from '../measure/quantity'
import { ALIGNS, cellsOf } from './comparison-table'

const HEAD = ['measure', 'unit', 'lahja', 'against', 'theirs', 'ratio', 'bound', '']

/** Comparisons as a page of Markdown. */
export function benchmarkPage(comparisons: readonly Comparison[], picture: string): string {
  return [
    '# What it can do, beside what one would use instead',
    `![Deliveries per second of lahja and what it is compared with](${picture})`,
    'Real processes over real sockets. Every event is checked to arrive once and in order, by the same code for all, and ' +
      'a run in which one does not counts for nothing. Broadcasts and requests are measured after a warm-up, broadcasts ' +
      'where they arrive. All take turns, round after round, and who fails is left out from there on; figures are ' +
      'medians of the rounds, with the least and the most of them; ratios are taken within each round. The bars begin at ' +
      'zero, the lines on them reach from the least to the most.',
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
