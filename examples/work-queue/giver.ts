import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Endpoint, type Peer } from 'lahja'
import { BUS, CountLines, GIVER, LinesCounted } from './jobs'
import { Ledger } from './ledger'

/** How many workers it waits for before it begins; more may come. */
const WORKERS = 2

/** Has the lines of all these examples counted, a job for each file. */
async function main(): Promise<void> {
  const paths = await filesIn(dirname(__dirname))
  const ledger = new Ledger(paths)
  await using endpoint = await Endpoint.start({ name: GIVER, bus: BUS })
  const results = endpoint.stream(LinesCounted)

  const replace = ({ name }: Peer, { unfinished }: { readonly unfinished: number }) => {
    console.log(`${name} has gone, with ${unfinished} jobs in hand`)
    // Nobody knows which they were. What is still open is handed out again, so some of it may be done twice.
    if (unfinished > 0) for (const path of ledger.open) endpoint.broadcastNowait(CountLines, { path })
    if (!endpoint.isAnyEndpointSubscribedTo(CountLines)) results.finish()
  }
  endpoint.on('left', replace)
  endpoint.on('lost', replace)

  await untilWorkersAreThere(endpoint)
  for (const path of paths) await endpoint.broadcast(CountLines, { path })
  for await (const { origin, payload } of results) {
    ledger.enter(origin, payload)
    if (ledger.open.size === 0) break
  }
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
