import { now } from './clock'
import type { Station } from './contenders/contender'
import type { Job } from './job'
import { Pace } from './pace'
import { payloadKind } from './payload'
import type { Progress } from './progress'
import { END } from './tally'

/**
 * Sends all events of a job, and the mark behind the last.
 *
 * @returns when the first was sent, in microseconds of the shared clock
 */
export async function sendAll(job: Job, station: Pick<Station, 'send' | 'flush'>, progress: Progress): Promise<number> {
  const { number, payload, payloadBytes, events, throttle, timedEvery } = job
  const kind = payloadKind(payload, payloadBytes)
  const untimed = timedEvery - 1
  const pace = throttle > 0 ? new Pace(throttle) : undefined
  const startedAt = now()
  for (let sequence = 0; sequence < events; sequence++) {
    const early = pace?.next()
    if (early) await early
    const waiting = station.send(kind.make(sequence, number, (sequence & untimed) === 0 ? now() : 0))
    if (waiting) await waiting
    progress.at(sequence + 1)
  }
  await station.send(kind.make(END, number, 0))
  await station.flush()
  return startedAt
}
