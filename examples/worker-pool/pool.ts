import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Endpoint } from 'lahja'
import { BUS, CountPrimes, MAIN, type Range } from './primes'

const LIMIT = 1_000_000
const STEP = 20_000

/** At least two, so that there is work to share. */
const THREADS = Math.max(2, availableParallelism())

/** Counts primes with a pool of threads, each of them an endpoint. */
async function main(): Promise<void> {
  await using endpoint = await Endpoint.start({ name: MAIN, bus: BUS })
  const names = Array.from({ length: THREADS }, (_, index) => `thread-${index + 1}`)
  for (const name of names) new Worker(join(__dirname, 'thread.ts'), { workerData: name })
  await Promise.all(names.map((name) => endpoint.waitUntilEndpointSubscribedTo(name, CountPrimes)))

  const shares = new Map(names.map((name) => [name, 0]))
  let total = 0
  const ranges = rangesUpTo(LIMIT)
  // As many requests in flight as there are threads. Each goes to the thread with the fewest.
  const ask = async () => {
    for (const range of ranges) {
      const { thread, primes } = await endpoint.request(CountPrimes, range)
      shares.set(thread, (shares.get(thread) ?? 0) + 1)
      total += primes
    }
  }
  await Promise.all(names.map(ask))

  for (const [name, share] of shares) console.log(`${name}: ${share} ranges`)
  console.log(`primes below ${LIMIT}: ${total}`)
}

function* rangesUpTo(limit: number): Generator<Range> {
  for (let from = 0; from < limit; from += STEP) yield { from, to: Math.min(from + STEP, limit) }
}

void main()
