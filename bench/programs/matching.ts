import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { Endpoint } from 'lahja'
import { Sample } from '../contenders/sample'
import { median } from '../measure/median'

const USAGE = `Usage: npm run bench:matching -- [options]

What it costs a sender that others are subscribed to something else: CPU time of one broadcast, beside 10, 1,000 and
10,000 other subscriptions and patterns, each number on a bus of its own, in rounds that take turns.

  --events N   broadcasts in each round (default 40000)
  --rounds N   (default 25)
  --json       print one JSON object instead of the table
  --help       print this

Exit code: 0 if the dearest costs at most 1.5 times the cheapest, 1 if not, 2 for wrong arguments.`

const OTHERS = [10, 1000, 10_000]

/** What the dearest may cost, in terms of the cheapest. */
const BOUND = 1.5

/** A sender and the process that is subscribed to its events and to so many others. */
interface Bus {
  readonly others: number
  readonly sender: Endpoint
  readonly end: () => Promise<void>
}

/** Microseconds of CPU time a broadcast: of types that have been looked up before, and of types that have not. */
interface Cost {
  readonly others: number
  readonly known: number
  readonly fresh: number
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '40000' },
      rounds: { type: 'string', default: '25' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { help, json } = values
  const [events, rounds] = [values.events, values.rounds].map((text) =>
    /^[1-9]\d{0,7}$/.test(text) ? Number(text) : 0,
  )
  if (help || !events || !rounds) {
    console.log(USAGE)
    return help ? 0 : 2
  }
  const buses: Bus[] = []
  try {
    for (const others of OTHERS) buses.push(await openBus(others))
    const costs = await measure(buses, rounds, events)
    const ratio = Math.max(...costs.map(({ known }) => known)) / Math.min(...costs.map(({ known }) => known))
    const ok = ratio <= BOUND
    console.log(
      json ? JSON.stringify({ node: process.version, events, rounds, costs, ratio, ok }) : reportOf(costs, ratio),
    )
    return ok ? 0 : 1
  } finally {
    await Promise.all(buses.map((bus) => bus.end()))
  }
}

async function openBus(others: number): Promise<Bus> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const child = fork(
    join(__dirname, '..', 'workers', 'subscriber.ts'),
    ['--directory', directory, '--others', String(others)],
    {
      execArgv: ['-r', require.resolve('ts-node/register/transpile-only')],
    },
  )
  const ended = once(child, 'exit')
  const sender = await Endpoint.start({ name: 'sender', directory })
  await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error('a process has ended early')))])
  return {
    others,
    sender,
    async end() {
      if (child.connected) child.disconnect()
      await Promise.all([ended, sender.close()])
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function measure(buses: readonly Bus[], rounds: number, events: number): Promise<Cost[]> {
  const costs = buses.map(({ others }) => ({ others, known: [0].slice(1), fresh: [0].slice(1) }))
  // The first round warms everything up and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { sender }] of buses.entries()) {
      const known = await costOf(sender, events, () => Sample.name)
      const fresh = await costOf(sender, Math.ceil(events / 10), (event) => `fresh.${round}.${event}`)
      if (round === 0) continue
      costs[index]?.known.push(known)
      costs[index]?.fresh.push(fresh)
    }
  }
  return costs.map(({ others, known, fresh }) => ({ others, known: median(known), fresh: median(fresh) }))
}

/** Microseconds of this process's CPU time for one broadcast. */
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
  const table = new Table({
    head: ['other subscriptions', 'µs a broadcast', 'µs, of a new type'],
    colAligns: ['right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { others, known, fresh } of costs) {
    table.push([others.toLocaleString('en'), known.toFixed(2), fresh.toFixed(2)])
  }
  return `${table.toString()}\nThe dearest costs ${ratio.toFixed(2)} times the cheapest; ${BOUND} times is the bound.`
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  },
)
