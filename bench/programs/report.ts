import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { missing } from '../contenders/packages'
import { type Comparison, readComparison } from '../measure/comparison'
import { quantity } from '../measure/quantity'
import { benchmarkPage } from '../report/benchmark-page'
import { barsOf, chartOf } from '../report/chart'
import { compare, ROUNDS_OPTIONS, roundsIn } from './comparison-program'
import { isolationSuite } from './isolation-suite'
import { peersSuite } from './peers-suite'
import { runProgram, usable } from './program'
import { shapesSuite } from './shapes-suite'

const USAGE = `Usage: npm run bench:report -- [options]

Runs bench:peers, bench:shapes and bench:isolation and writes the results to docs/benchmark.md and docs/benchmark.svg.

  --from FILE    use a file with the output of one of them with --json instead of running them; may be repeated
  --rounds N     number of rounds (default 5, with --quick 1)
  --quick        a small part of the work: a check that everything works, not a measurement
  --out FOLDER   output folder (default docs)
  --help         print this help

Exit code: 0 for a complete report, 1 if writing or a measurement failed, 2 for invalid arguments.`

function parse(args: string[]) {
  const options = {
    ...ROUNDS_OPTIONS,
    from: { type: 'string', multiple: true },
    out: { type: 'string', default: 'docs' },
  } as const
  return parseArgs({ args, options }).values
}

runProgram(USAGE, parse, async ({ from = [], out, ...values }, signal) => {
  const rounds = roundsIn(values)
  const given = from.map((path) => {
    const prefix = `--from: expected what a comparison prints with --json in '${path}', got: `
    return usable(() => readComparison(path), prefix)
  })
  const [command] = missing(['echarts'])
  if (command) throw new Error(`the chart needs echarts, which is not installed: ${command}`)
  const comparisons = given.length > 0 ? given : await measure(values.quick, rounds, signal)
  write(comparisons, out)
  return comparisons.some(({ outcomes }) => outcomes.some(({ failures }) => failures.length > 0)) ? 1 : 0
})

async function measure(isQuick: boolean, rounds: number, signal: AbortSignal): Promise<Comparison[]> {
  const options = `--rounds ${rounds}${isQuick ? ' --quick' : ''}`
  return [
    await compare(peersSuite(isQuick), rounds, `npm run bench:peers -- ${options}`, signal),
    await compare(shapesSuite(isQuick), rounds, `npm run bench:shapes -- ${options}`, signal),
    await compare(isolationSuite(isQuick), rounds, `npm run bench:isolation -- ${options}`, signal),
  ]
}

function write(comparisons: readonly Comparison[], out: string): void {
  const bars = barsOf(comparisons.flatMap(({ outcomes }) => outcomes))
  const [first] = comparisons
  mkdirSync(out, { recursive: true })
  if (first && bars.length > 0) {
    const { rounds, machine, node, date } = first
    const rest = `Median of ${quantity(rounds, 'round')}, lines from least to most · more is better`
    const subtitle = `${rest}\n${machine} · Node ${node} · ${date.slice(0, 10)}`
    writeFileSync(join(out, 'benchmark.svg'), chartOf(bars, subtitle))
  }
  writeFileSync(join(out, 'benchmark.md'), `${benchmarkPage(comparisons, 'benchmark.svg')}\n`)
  console.log(`${join(out, 'benchmark.md')} and benchmark.svg are written`)
}
