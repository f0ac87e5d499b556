import { inventions, specimens } from './corpus'
import { Finding } from './finding'
import { Host } from './host'
import { mutate, reframed } from './mutation'
import { Random } from './random'
import { read } from './reading'

/** Milliseconds of the processor, however much else it has to do; a case that takes longer is a hang. */
const HANG = 1000

/** Bytes of heap by which it may grow over all cases. */
const GROWTH = 64 * 1024 * 1024

/** After so many cases new messages are made up, the endpoint is another, and memory is measured. */
const ROUND = 5000

/** Of a stream that is tried. */
const MAX_BYTES = 256 * 1024

export interface Plan {
  readonly seed: number
  /** Said after each case: is another one wanted? */
  readonly goesOn: (cases: number) => boolean
  /** Told of each case before it is tried. */
  readonly begins?: (stream: Buffer) => void
  /** Told what went wrong, and with which stream. */
  readonly found: (finding: Finding, stream: Buffer, number: number) => void
  /** Collects garbage, where that can be asked for. */
  readonly collect?: () => void
}

/** Tries streams that are nearly right, as long as wanted. Returns how many. */
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
  // What has never run yet takes its time.
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

/** Tries one stream, as it is. @throws Finding */
export async function replay(stream: Buffer): Promise<void> {
  const random = new Random(stream.length)
  const host = new Host()
  await host.start()
  read(stream, random)
  for (const isIntroduced of [true, false]) await host.take(stream, isIntroduced, random)
  await host.close()
}

/** Some frames of the pool behind each other, most of them changed. */
function makeStream(pool: readonly Buffer[], random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(6) }, () => {
    const frame = random.pick(pool) ?? Buffer.alloc(0)
    if (random.once(3)) return frame
    const mutant = mutate(frame, pool, random)
    return random.once(4) ? mutant : reframed(mutant)
  })
  return Buffer.concat(frames).subarray(0, MAX_BYTES)
}
