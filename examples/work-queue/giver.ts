import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Endpoint, type Peer } from 'lahja'
import { BUS, COUNTERS, CountLines, GIVER, LinesCounted } from './jobs'
import { Ledger } from './ledger'

/** Workers to wait for before the start. More may join later. */
const WORKERS = 2

/** Has the lines of all examples counted, one job per file. */
async function main(): Promise<void> {
  const paths = await filesIn(dirname(__dirname))
  const ledger = new Ledger(paths)
  await using endpoint = await Endpoint.start({ name: GIVER, bus: BUS })
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  endpoint.subscribe(LinesCounted, ({ origin, payload }) => {
    ledger.enter(origin, payload)
    if (ledger.open.size === 0) finish()
  })

  const note = ({ name }: Peer) => {
    const queue = endpoint.queues().find(({ name }) => name === COUNTERS)
    console.log(`${name} has gone; ${queue?.redelivered ?? 0} jobs have been given again so far`)
    if (!endpoint.isAnyEndpointSubscribedTo(CountLines)) finish()
  }
  endpoint.on('left', note)
  endpoint.on('lost', note)

  await untilWorkersAreThere(endpoint)
  for (const path of paths) await endpoint.broadcast(CountLines, { path })
  await finished
  console.log(ledger.toString())
  if (ledger.open.size > 0) process.exitCode = 1
}

async function untilWorkersAreThere(endpoint: Endpoint): Promise<void> {
  const workers = () => endpoint.peers.filter(({ subscriptions }) => subscriptions.includes(CountLines.name))
  if (workers().length < WORKERS) console.log(`waiting for ${WORKERS} workers`)
  while (workers().length < WORKERS) await endpoint.waitUntilEndpointSubscriptionsChange()
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

void main()
