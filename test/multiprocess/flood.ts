import type { Endpoint, EventType } from '../../src'
import { fields, number } from './parse'
import type { Flood, FloodReport } from './pressure-procedures'
import { SAMPLE } from './tally'

/** The number of keys of a flood's events, used in turn. */
export const KEYS = 10

/** The key of a flood's event. */
export function keyOf(payload: unknown): number {
  return number(fields(payload).number) % KEYS
}

/** Broadcasts at full speed, and measures time and memory. */
export async function flood(endpoint: Endpoint, type: EventType, order: Flood): Promise<FloodReport> {
  const { count, first = 0, filler: size, waits = false } = order
  const filler = Buffer.alloc(size)
  const before = process.memoryUsage.rss()
  let [most, queued] = [before, 0]
  let longest: readonly [number, number] = [0, 0]
  for (let number = first; number < first + count; number++) {
    const begin = performance.now()
    if (waits) await endpoint.broadcast(type, { number, filler })
    else endpoint.broadcastNowait(type, { number, filler })
    longest = longer(longest, performance.now() - begin)
    if (number % SAMPLE > 0) continue
    most = Math.max(most, process.memoryUsage.rss())
    queued = Math.max(queued, ...endpoint.peers.map(({ queuedBytes }) => queuedBytes))
  }
  return { growth: most - before, queued, longest }
}

function longer([first, second]: readonly [number, number], time: number): readonly [number, number] {
  return time > first ? [time, first] : [first, Math.max(second, time)]
}
