import type { Station } from '../contenders/contender'
import { payloadKind } from '../contenders/payload'
import { now } from './clock'
import type { Job } from './job'
import { Pacer } from './pacer'
import { END } from './sequence-checker'
import { startUsage, type Usage } from './usage'

/**
 * Sends the warm-up, the events and an end mark.
 *
 * @returns the usage since the first measured event
 */
export async function sendAll(job: Job, station: Station, progress: (done: number) => void): Promise<Usage> {
  const { number, mode, payload, payloadBytes, warmUp, throttle, timedEvery } = job
  const events = warmUp + job.events
  const kind = payloadKind(payload, payloadBytes)
  const untimed = timedEvery - 1
  let usage = startUsage()
  // Created last, so that the pace and the measurement start together.
  const pacer = throttle > 0 ? new Pacer(throttle) : undefined
  for (let sequence = 0; sequence < events; sequence++) {
    if (warmUp > 0 && sequence === warmUp) usage = startUsage()
    const early = pacer?.next()
    if (early) await early
    const waiting = station.send(kind.make(sequence, number, (sequence & untimed) === 0 ? now() : 0))
    if (waiting) await waiting
    progress(sequence + 1)
  }
  const mark = kind.make(END, number, 0)
  if (mode === 'queue') await station.sendToEach?.(mark)
  else await station.send(mark)
  await station.flush()
  return usage
}
