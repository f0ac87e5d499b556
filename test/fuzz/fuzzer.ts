import { inventions, specimens } from './corpus'
import { Finding } from './finding'
import { Host } from './host'
import { mutate, reframed } from './mutation'
import { Random } from './random'
import { read } from './reading'

/** Maximum CPU milliseconds of a case; a longer one is a hang. */
const HANG = 1000

/** Maximum growth of the heap over all cases, in bytes. */
const GROWTH = 64 * 1024 * 1024

/** Cases after which messages and endpoint are renewed and memory is measured. */
const ROUND = 5000

/** Maximum bytes of a stream. */
const MAX_BYTES = 256 * 1024

export interface Plan {
  readonly seed: number
  /** Called after each case; returns whether to go on. */
  readonly goesOn: (cases: number) => boolean
  /** Called with each case before it runs. */
  readonly begins?: (stream: Buffer) => void
  /** Called with each finding and its stream. */
  readonly found: (finding: Finding, stream: Buffer, number: number) => void
  /** Collects garbage, if available. */
  readonly collect?: () => void
}

/** Tries mutated streams. Returns the number of cases. */
export async function fuzz({ seed, goesOn, begins, found, collect }: Plan): Promise<number> {
  let thrown: unknown
  const note = (error: unknown) => {
    thrown ??= error
  }
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  const host = new Host()
  await host.start()
  const random = new Random(seed)
  // The first cases include compilation.
  await host.take(Buffer.alloc(0), true, random)
  const committed = specimens().map(({ bytes }) => bytes)
  let pool: readonly Buffer[] = []
  let heap = Number.POSITIVE_INFINITY
  let cases = 0
  for (; goesOn(cases); cases++) {
    if (cases % ROUND === 0) pool = [...committed, ...inventions(random.next(), 300)]
    const stream = makeStream(pool, random)
    begins?.(stream)
    const began = process.cpuUsage()
    try {
      read(stream, random)
      await host.take(stream, !random.once(5), random)
      if (thrown) throw new Finding(`expected nothing to be thrown past everyone, got ${thrown}`, thrown)
      const { user, system } = process.cpuUsage(began)
      const took = (user + system) / 1000
      if (took > HANG) throw new Finding(`expected a case to take no longer than ${HANG} ms, got ${took}`)
    } catch (error) {
      found(error instanceof Finding ? error : new Finding(`expected no error, got ${error}`, error), stream, cases)
      thrown = undefined
    }
    if (collect && cases % ROUND === ROUND - 1) {
      collect()
      const { heapUsed } = process.memoryUsage()
      if (heapUsed > heap + GROWTH) found(new Finding(`expected a heap of ${heap}, got ${heapUsed}`), stream, cases)
      heap = Math.min(heap, heapUsed)
    }
  }
  await host.close()
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  return cases
}

/** Tries one stream. @throws Finding */
export async function replay(stream: Buffer): Promise<void> {
  const random = new Random(stream.length)
  const host = new Host()
  await host.start()
  read(stream, random)
  for (const isIntroduced of [true, false]) await host.take(stream, isIntroduced, random)
  await host.close()
}

/** A stream of frames from the pool, most of them mutated. */
function makeStream(pool: readonly Buffer[], random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(6) }, () => {
    const frame = random.pick(pool) ?? Buffer.alloc(0)
    if (random.once(3)) return frame
    const mutant = mutate(frame, pool, random)
    return random.once(4) ? mutant : reframed(mutant)
  })
  return Buffer.concat(frames).subarray(0, MAX_BYTES)
}
