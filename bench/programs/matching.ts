import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Endpoint } from 'lahja'
import { Sample } from '../contenders/lahja'
import { median } from '../measure/median'
import { tableOf } from '../report/table'
import { Child } from '../workers/child'
import { inScratchDirectory } from '../workers/scratch-directory'
import { runProgram, wholeNumber } from './program'

/** Subscriptions that do not match. */
const OTHERS = [10, 1000, 10_000]

/** The most expensive cost, divided by the cheapest. */
const BOUND = 1.5

const USAGE = `Usage: npm run bench:matching -- [options]

Measures how subscriptions that do not match affect a sender: the CPU time of a broadcast beside 10, 1,000 and 10,000
other subscriptions and patterns. Each number of subscriptions has its own bus, and the buses take turns in each round.

  --events N   broadcasts in each round (default 40000)
  --rounds N   number of rounds (default 25)
  --json       print one JSON object instead of the table
  --help       print this help

Exit code: 0 if the most expensive broadcast costs at most ${BOUND} times the cheapest, 1 if not, 2 for invalid arguments.`

/** A sender, a process with other subscriptions, and the costs of each round. */
interface Bus {
  readonly others: number
  readonly sender: Endpoint
  readonly subscriber: Child
  readonly known: number[]
  readonly fresh: number[]
}

/** CPU microseconds of a broadcast: of a type that was broadcast before, and of a new type. */
interface Cost {
  readonly others: number
  readonly known: number
  readonly fresh: number
}

function parse(args: string[]) {
  const options = {
    events: { type: 'string', default: '40000' },
    rounds: { type: 'string', default: '25' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  return parseArgs({ args, options }).values
}

runProgram(USAGE, parse, async ({ json, ...values }) => {
  const events = wholeNumber('events', values.events, 1, 99_999_999)
  const rounds = wholeNumber('rounds', values.rounds, 1, 99_999_999)
  const costs = await inScratchDirectory((directory) => measure(directory, rounds, events))
  const known = costs.map((cost) => cost.known)
  const ratio = Math.max(...known) / Math.min(...known)
  const ok = ratio <= BOUND
  console.log(
    json ? JSON.stringify({ node: process.version, events, rounds, costs, ratio, ok }) : reportOf(costs, ratio),
  )
  return ok ? 0 : 1
})

async function measure(directory: string, rounds: number, events: number): Promise<Cost[]> {
  const buses: Bus[] = []
  try {
    for (const others of OTHERS) {
      const bus = await openBus(join(directory, String(others)), others)
      buses.push(bus)
      await bus.subscriber.message()
    }
    // Round 0 is a warm-up.
    for (let round = 0; round <= rounds; round++) {
      for (const { sender, known, fresh } of buses) {
        known.push(await costOf(sender, events, () => Sample.name))
        fresh.push(await costOf(sender, Math.ceil(events / 10), (event) => `fresh.${round}.${event}`))
      }
    }
  } finally {
    await Promise.all(buses.map(closeBus))
  }
  return buses.map(({ others, known, fresh }) => {
    return { others, known: median(known.slice(1)), fresh: median(fresh.slice(1)) }
  })
}

async function openBus(directory: string, others: number): Promise<Bus> {
  const sender = await Endpoint.start({ name: 'sender', directory })
  const script = join(__dirname, '..', 'workers', 'subscriber.js')
  const subscriber = new Child('the subscriber', script, [directory, String(others)])
  return { others, sender, subscriber, known: [], fresh: [] }
}

async function closeBus({ sender, subscriber }: Bus): Promise<void> {
  await sender.close()
  await subscriber.kill()
}

/** CPU microseconds of this process per broadcast. */
async function costOf(sender: Endpoint, events: number, typeOf: (event: number) => string): Promise<number> {
  const payload = Buffer.alloc(100)
  await sender.drained()
  const before = process.cpuUsage()
  for (let event = 0; event < events; event++) await sender.broadcast(typeOf(event), payload)
  await sender.drained()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / events
}

function reportOf(costs: readonly Cost[], ratio: number): string {
  const head = ['other subscriptions', 'µs a broadcast', 'µs, of a new type']
  const rows = costs.map(({ others, known, fresh }) => [
    others.toLocaleString('en'),
    known.toFixed(2),
    fresh.toFixed(2),
  ])
  const table = tableOf(head, rows, ['right', 'right', 'right'])
  return `${table}\nThe dearest costs ${ratio.toFixed(2)} times the cheapest; ${BOUND} times is the bound.`
}
