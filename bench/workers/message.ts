import * as v from 'valibot'
import { Latencies } from './latencies'

/** The counts and times of one process. Times are microseconds of the shared clock. */
const ProcessReport = v.object({
  name: v.string(),
  number: v.number(),
  /** When it sent, or behind a warm-up received, the first measured event; 0 if others have to tell. */
  startedAt: v.number(),
  /** When it received the last event. */
  endedAt: v.number(),
  /** Measured events, or responses, without duplicates. */
  arrived: v.number(),
  lost: v.number(),
  outOfOrder: v.number(),
  duplicates: v.number(),
  /** See `Share.parse`; empty except in a queue. */
  share: v.string(),
  /** See `Latencies.encode`. */
  latencies: v.string(),
  /** CPU time of the measured part. */
  cpuMicroseconds: v.number(),
  rssBytes: v.number(),
})

export type ProcessReport = Readonly<v.InferOutput<typeof ProcessReport>>

/** A report without events. */
export function emptyReport(name: string, number: number): ProcessReport {
  const counts = { arrived: 0, lost: 0, outOfOrder: 0, duplicates: 0, share: '', latencies: Latencies.none().encode() }
  return { name, number, startedAt: 0, endedAt: 0, ...counts, cpuMicroseconds: 0, rssBytes: 0 }
}

/**
 * From a worker to the process that has started it: it has joined the others, it is connected to them, it has sent
 * everything, it has received everything; how many events are done; its report, with those of its child processes.
 */
const Message = v.variant('kind', [
  v.object({ kind: v.picklist(['joined', 'ready', 'sent', 'received']) }),
  v.object({ kind: v.literal('progress'), done: v.number() }),
  v.object({ kind: v.literal('report'), reports: v.array(ProcessReport) }),
])

export type Message = Readonly<v.InferOutput<typeof Message>>

/** To a worker: listen, as all have joined; send, as all are ready; report and exit, as all have finished. */
export type Order = 'listen' | 'go' | 'stop'

export function parseMessage(value: unknown): Message {
  return v.parse(Message, value)
}
