import { workerData } from 'node:worker_threads'
import { Endpoint } from 'lahja'
import { BUS, CountPrimes, MAIN, primesIn } from './primes'

/** A thread of the pool, which is an endpoint like any other. It counts for the main thread until that leaves. */
async function main(): Promise<void> {
  const name = String(workerData)
  await using endpoint = await Endpoint.start({ name, bus: BUS })
  endpoint.respond(CountPrimes, ({ payload }) => ({ thread: name, primes: primesIn(payload) }))

  await endpoint.waitUntilConnectedTo(MAIN)
  while (endpoint.isConnectedTo(MAIN)) await endpoint.waitUntilConnectionsChange()
}

void main()
