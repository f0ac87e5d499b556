import { parseArgs } from 'node:util'
import { type Comparison, comparisonOf } from '../measure/comparison'
import { namesOf, narrow, type Suite } from '../measure/suite'
import { measureInTurns } from '../measure/trial'
import { comparisonTable } from '../report/comparison-table'
import { endProgress, showProgress } from '../report/progress-line'
import { oneOf, runProgram, wholeNumber } from './program'

/** The usage of the options that all programs that compare have. */
export const COMPARISON_OPTIONS = `  --rounds N     number of rounds (default 5, with --quick 1)
  --quick        a small part of the work: a check that everything works, not a measurement
  --only NAME    only the rows with this name, group or rival; may be repeated
  --list         print the names of all rows and exit
  --json         print one JSON object instead of the table
  --help         print this help

Exit code: 0 if every bound is kept; 1 if a bound is missed, an event is lost, duplicated or out of order, or anything
else fails; 2 for invalid arguments. A failed contender is left out of the remaining rounds.`

export const ROUNDS_OPTIONS = {
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** @throws UsageError */
export function roundsIn({ rounds, quick }: { rounds?: string | undefined; quick: boolean }): number {
  return wholeNumber('rounds', rounds ?? (quick ? '1' : '5'), 1, 1000)
}

/** Runs a program that compares. */
export function runComparison(script: string, usage: string, suiteOf: (isQuick: boolean) => Suite): void {
  runProgram(usage, parse, async ({ only = [], list, json, ...values }, signal) => {
    const rounds = roundsIn(values)
    const suite = suiteOf(values.quick)
    const names = [...new Set(suite.rows.flatMap(namesOf))]
    for (const name of only) oneOf('only', name, names)
    if (list) {
      console.log(suite.rows.map(({ id, title }) => `${id.padEnd(24)}${title}`).join('\n'))
      return 0
    }
    const command = [`npm run ${script} --`, ...process.argv.slice(2)].join(' ')
    const comparison = await compare(narrow(suite, only), rounds, command, signal)
    console.log(json ? JSON.stringify(comparison) : comparisonTable(comparison))
    return comparison.ok ? 0 : 1
  })
}

export async function compare(suite: Suite, rounds: number, command: string, signal: AbortSignal): Promise<Comparison> {
  const measured = await measureInTurns(
    suite.trials,
    rounds,
    showProgress,
    ({ trial, message }) => {
      endProgress()
      console.error(`bench: ${trial}: ${message}`)
    },
    signal,
  )
  endProgress()
  return comparisonOf(suite, measured, rounds, command)
}

function parse(args: string[]) {
  const options = {
    ...ROUNDS_OPTIONS,
    only: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const
  return parseArgs({ args, options }).values
}
