import { MODES, type Mode } from '../contenders/mode'
import { PAYLOADS, type PayloadName } from '../contenders/payload'
import { Fields } from './fields'

/** What a process of the bench has to do. */
export interface Job {
  readonly name: string
  /** Among all processes of the round, the sender being 0. */
  readonly number: number
  readonly directory: string
  readonly contender: string
  readonly mode: Mode
  /** Processes beside the sender; in a mesh, all of them. */
  readonly processes: number
  readonly events: number
  /** Events that each process that sends sends before them, until the programs run at full speed. They are not measured. */
  readonly warmUp: number
  readonly payload: PayloadName
  readonly payloadBytes: number
  /** Events per second, or 0 for as many as can be. */
  readonly throttle: number
  /** Requests under way at a time. */
  readonly concurrency: number
  /** Is no receiver given up, however slow it is? */
  readonly isPatient: boolean
  /** The time is taken of one event in so many: a power of two. */
  readonly timedEvery: number
}

/** The sender's, or the asker's, name. */
export const SENDER = 'sender'

export function memberName(number: number): string {
  return `member-${number + 1}`
}

export function parseJob(text: string | undefined): Job {
  const job = new Fields(JSON.parse(text ?? '{}'))
  return {
    name: job.text('name'),
    number: job.number('number'),
    directory: job.text('directory'),
    contender: job.text('contender'),
    mode: job.oneOf('mode', MODES),
    processes: job.number('processes'),
    events: job.number('events'),
    warmUp: job.number('warmUp'),
    payload: job.oneOf('payload', PAYLOADS),
    payloadBytes: job.number('payloadBytes'),
    throttle: job.number('throttle'),
    concurrency: job.number('concurrency'),
    isPatient: job.flag('isPatient'),
    timedEvery: job.number('timedEvery'),
  }
}
