import * as v from 'valibot'
import { MODES, type Mode } from '../contenders/contender'
import { PAYLOADS } from '../contenders/payload'

const Work = v.object({
  contender: v.string(),
  mode: v.picklist(MODES),
  /** Besides the sender; in a mesh, all. */
  processes: v.number(),
  /** Per sender. */
  events: v.number(),
  /** Events of each sender before the measured ones, until the code is compiled. They are checked, not measured. */
  warmUp: v.number(),
  payload: v.picklist(PAYLOADS),
  payloadBytes: v.number(),
  /** Events per second; 0 for no limit. */
  throttle: v.number(),
  /** Requests in flight. */
  concurrency: v.number(),
  /** Slow receivers are never given up. */
  isPatient: v.boolean(),
  /** Times one event in this many: a power of two. */
  timedEvery: v.number(),
})

const Job = v.object({
  ...Work.entries,
  name: v.string(),
  /** Of the process in its round; the sender is 0. */
  number: v.number(),
  directory: v.string(),
})

/** The work of a round. */
export type Work = Readonly<v.InferOutput<typeof Work>>

/** The work of one process. */
export type Job = Readonly<v.InferOutput<typeof Job>>

/** Every event is timed, except at full speed. */
const TIMED_EVERY: Readonly<Record<Mode, number>> = { broadcast: 32, latency: 1, request: 1, mesh: 32, queue: 32 }

/** Fills in defaults. */
export function workOf(work: Pick<Work, 'contender' | 'mode' | 'events'> & Partial<Work>): Work {
  return {
    processes: 1,
    warmUp: 0,
    payload: 'binary',
    payloadBytes: 100,
    throttle: 0,
    concurrency: 1,
    isPatient: true,
    timedEvery: TIMED_EVERY[work.mode],
    ...work,
  }
}

/** The name of the process that sends, or asks. */
export const SENDER = 'sender'

export function memberName(number: number): string {
  return `member-${number + 1}`
}

export function parseJob(text = '{}'): Job {
  return v.parse(Job, JSON.parse(text))
}
