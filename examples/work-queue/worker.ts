import { readFile } from 'node:fs/promises'
import { Endpoint } from 'lahja'
import { BUS, COUNTERS, CountLines, GIVER, LinesCounted } from './jobs'

/** Files read concurrently. */
const CONCURRENCY = 4

/** Handles its share of the jobs until the giver leaves. */
async function main(): Promise<void> {
  await using endpoint = await Endpoint.start({ name: { prefix: 'worker' }, bus: BUS })
  let done = 0
  endpoint.subscribe(
    CountLines,
    async ({ payload: { path }, origin }) => {
      const text = await readFile(path, 'utf8')
      await endpoint.broadcast(LinesCounted, { path, lines: text.split('\n').length - 1 }, { to: origin })
      done++
    },
    // With none ahead of those that are read, no file waits here behind a long one.
    { queue: COUNTERS, concurrency: CONCURRENCY, prefetch: 0 },
  )

  if (!endpoint.isConnectedTo(GIVER)) console.log('waiting for jobs')
  await endpoint.waitUntilConnectedTo(GIVER)
  while (endpoint.isConnectedTo(GIVER)) await endpoint.waitUntilConnectionsChange()
  console.log(`${endpoint.name} has counted ${done} files`)
}

void main()
