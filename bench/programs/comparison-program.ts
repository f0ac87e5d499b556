import { parseArgs } from 'node:util'
import { type Comparison, comparisonOf, type Failure, measureInTurns, namesOf, narrow } from '../measure/comparison'
import type { Agenda } from '../measure/peers-suite'
import { comparisonReport } from '../report/comparison-table'
import { endProgress, showProgress } from '../report/progress-line'
import { parsed, UsageError, wholeNumber } from './arguments'
import { runProgram } from './program'

/** Options that all programs have that compare. */
export const COMPARISON_OPTIONS = `  --rounds N     (default 5, quick 1)
  --quick        a fiftieth of the work: to see that all works, not to know how fast it is
  --only NAME    only these rows: a row, a group of rows or a rival; may be repeated
  --list         print the names of all rows and do nothing
  --json         print one JSON object instead of the table
  --help         print this

Exit code: 0 if every bound is kept, 1 if one is missed, an event was lost, doubled or out of order, or something else
went wrong, 2 for wrong arguments. Who fails once is left out of the rounds that are still to come.`

/** A program that compares what is on an agenda. */
export function runComparison(script: string, usage: string, agendaOf: (isQuick: boolean) => Agenda): void {
  runProgram(usage, async (args, signal) => {
    const { quick, only = [], list, json, help, ...values } = parse(args)
    const rounds = wholeNumber('rounds', values.rounds ?? (quick ? '1' : '5'), 1, 1000)
    const agenda = agendaOf(quick)
    checkNames(only, agenda)
    if (help || list) {
      console.log(help ? usage : agenda.rows.map(({ id, title }) => `${id.padEnd(24)}${title}`).join('\n'))
      return 0
    }
    const command = [`npm run ${script} --`, ...args].join(' ')
    const comparison = await compare(narrow(agenda, only), rounds, command, signal)
    console.log(json ? JSON.stringify(comparison) : comparisonReport(comparison))
    return comparison.ok ? 0 : 1
  })
}

export async function compare(
  agenda: Agenda,
  rounds: number,
  command: string,
  signal: AbortSignal,
): Promise<Comparison> {
  const measured = await measureInTurns(agenda.trials, rounds, showProgress, showFailure, signal)
  endProgress()
  return comparisonOf(agenda, measured, rounds, command)
}

function showFailure({ trial, message }: Failure): void {
  endProgress()
  console.error(`bench: ${trial}: ${message}`)
}

function parse(args: readonly string[]) {
  const options = {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  return parsed(() => parseArgs({ args: [...args], options }).values)
}

function checkNames(only: readonly string[], { rows }: Agenda): void {
  const names = [...new Set(rows.flatMap(namesOf))]
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new UsageError(`--only: expected one of ${names.join(', ')}, got '${unknown}'`)
}
