import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { missing } from '../contenders/packages'
import type { Comparison } from '../measure/comparison'
import { isolationAgenda } from '../measure/isolation-suite'
import { agendaOf } from '../measure/peers-suite'
import { benchmarkPage } from '../report/benchmark-page'
import { barsOf, chartOf } from '../report/chart'
import { readComparison } from '../report/comparison-file'
import { parsed, UsageError, wholeNumber } from './arguments'
import { compare } from './comparison-program'
import { runProgram } from './program'

const USAGE = `Usage: npm run bench:report -- [options]

Runs bench:peers and bench:isolation and writes what they measure into docs/benchmark.md and docs/benchmark.svg.

  --from FILE    what one of them has printed with --json, instead of running them; may be repeated
  --rounds N     (default 5, quick 1)
  --quick        a fiftieth of the work: to see that all works, not to know how fast it is
  --out FOLDER   where to write (default docs)
  --help         print this

Exit code: 0 if it is written, 1 if that failed or it is written that something did, 2 for wrong arguments.`

async function main(args: string[], signal: AbortSignal): Promise<number> {
  const { from = [], out, quick, help, ...values } = parse(args)
  const rounds = wholeNumber('rounds', values.rounds ?? (quick ? '1' : '5'), 1, 1000)
  if (help) {
    console.log(USAGE)
    return 0
  }
  const given = from.map(read)
  const [command] = missing(['echarts'])
  if (command) throw new Error(`the chart needs echarts, which is not installed: ${command}`)
  const comparisons = given.length > 0 ? given : await measure(quick, rounds, signal)
  write(comparisons, out)
  return comparisons.some(({ outcomes }) => outcomes.some(({ failures }) => failures.length > 0)) ? 1 : 0
}

async function measure(isQuick: boolean, rounds: number, signal: AbortSignal): Promise<Comparison[]> {
  const options = `--rounds ${rounds}${isQuick ? ' --quick' : ''}`
  return [
    await compare(agendaOf(isQuick), rounds, `npm run bench:peers -- ${options}`, signal),
    await compare(isolationAgenda(isQuick), rounds, `npm run bench:isolation -- ${options}`, signal),
  ]
}

function write(comparisons: readonly Comparison[], out: string): void {
  const bars = barsOf(comparisons.flatMap(({ outcomes }) => outcomes))
  const [first] = comparisons
  mkdirSync(out, { recursive: true })
  if (first && bars.length > 0) {
    const { rounds, machine, node, date } = first
    const rest = `Median of ${rounds} round${rounds === 1 ? '' : 's'}, lines from least to most · more is better`
    const subtitle = `${rest}\n${machine} · Node ${node} · ${date.slice(0, 10)}`
    writeFileSync(join(out, 'benchmark.svg'), chartOf(bars, subtitle))
  }
  writeFileSync(join(out, 'benchmark.md'), `${benchmarkPage(comparisons, 'benchmark.svg')}\n`)
  console.log(`${join(out, 'benchmark.md')} and benchmark.svg are written`)
}

function read(path: string): Comparison {
  try {
    return readComparison(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`--from: expected what a comparison prints with --json in '${path}', got: ${reason}`)
  }
}

function parse(args: readonly string[]) {
  const options = {
    from: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'docs' },
    help: { type: 'boolean', default: false },
  } as const
  return parsed(() => parseArgs({ args: [...args], options }).values)
}

runProgram(USAGE, main)
