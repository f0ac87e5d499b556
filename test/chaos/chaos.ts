import { parseArgs } from 'node:util'
import { playRound, reportOf } from './round'

const USAGE = `npm run chaos -- [options]
  --seconds N    for how long things go wrong (60)
  --seed N       of the faults; each round has the next one (by chance)
  --processes N  at a time (8)`

/** Seconds of faults in one round. */
const ROUND = 20

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    processes: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  },
})

function numberOf(option: 'seconds' | 'seed' | 'processes'): number {
  const value = Number(values[option])
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new TypeError(`--${option}: expected a whole number above 0, got ${values[option]}`)
}

async function run(): Promise<void> {
  if (values.help) return console.log(USAGE)
  const [seconds, first, processes] = [numberOf('seconds'), numberOf('seed'), numberOf('processes')]
  const total = { rounds: 0, records: 0, kills: 0, failures: 0 }
  for (let rest = seconds; rest > 0; rest -= ROUND) {
    const extent = { seed: first + total.rounds, processes, duration: Math.min(rest, ROUND) * 1000 }
    const outcome = await playRound(extent)
    total.rounds++
    total.records += outcome.records.length
    total.kills += outcome.kills
    if (outcome.violations.length > 0) {
      total.failures++
      console.log(reportOf(outcome))
    }
    console.log(`seed ${extent.seed}: ${outcome.records.length} records, ${outcome.kills} killed`)
  }
  const { rounds, records, kills, failures } = total
  console.log(`${seconds} s in ${rounds} rounds: ${records} records, ${kills} killed, violations in ${failures} rounds`)
  if (failures > 0) process.exitCode = 1
}

void run()
