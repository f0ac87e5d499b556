import type { Station } from '../contenders/contender'
import { payloadKind } from '../contenders/payload'
import { now } from './clock'
import type { Job } from './job'
import { Pace } from './pacer'
import { Progress } from './progress'
import { END } from './sequence-checker'
import { startUsage, type Usage } from './usage'
import type { Orchestrator } from './worker'

/** The sending of what is measured. */
export interface Sending {
  /** When the first was sent, in microseconds of the shared clock. */
  readonly startedAt: number
  /** Since then. */
  readonly usage: Usage
}

/** Sends all events of a job, those for the warm-up first, and the mark behind the last. */
export async function sendAll(
  job: Job,
  station: Pick<Station, 'send' | 'flush'>,
  orchestrator: Orchestrator,
): Promise<Sending> {
  const { number, payload, payloadBytes, warmUp, throttle, timedEvery } = job
  const events = warmUp + job.events
  const progress = new Progress(events, orchestrator)
  const kind = payloadKind(payload, payloadBytes)
  const untimed = timedEvery - 1
  let sending = begin()
  // Later, so that no time passes that counts for the pace and not for what is measured.
  const pace = throttle > 0 ? new Pace(throttle) : undefined
  for (let sequence = 0; sequence < events; sequence++) {
    if (warmUp > 0 && sequence === warmUp) sending = begin()
    const early = pace?.next()
    if (early) await early
    const waiting = station.send(kind.make(sequence, number, (sequence & untimed) === 0 ? now() : 0))
    if (waiting) await waiting
    progress.at(sequence + 1)
  }
  await station.send(kind.make(END, number, 0))
  await station.flush()
  return sending
}

function begin(): Sending {
  return { startedAt: now(), usage: startUsage() }
}
