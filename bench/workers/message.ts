import { Fields } from './fields'

/** What one process has done and seen of one round. Times are microseconds of the shared clock. */
export interface ProcessReport {
  /** When it sent the first that is measured, or that arrived, behind a warm-up; 0 if that is for others to tell. */
  readonly startedAt: number
  /** When its last arrived. */
  readonly endedAt: number
  /** Events, or responses, that came, each counted once; none of the warm-up. */
  readonly arrived: number
  readonly lost: number
  readonly outOfOrder: number
  readonly duplicates: number
  /** See Latencies. */
  readonly latencies: string
  /** CPU time since then. */
  readonly cpuMicroseconds: number
  readonly rssBytes: number
}

/**
 * How far a process is. It has joined the others; it hears, or is heard by, whom it has to; it has nothing more to
 * send, or to hear.
 */
export type Milestone = 'joined' | 'ready' | 'finished'

/** What a process of the bench tells the one that has started it. */
export type Message =
  | { readonly kind: Milestone }
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'report'; readonly report: ProcessReport }
  | { readonly kind: 'childReport'; readonly name: string; readonly report: ProcessReport }

/**
 * What it is told: to listen to the others, for all have joined; to begin, for all are ready; to report and end, for
 * all have finished.
 */
export type Order = 'listen' | 'go' | 'stop'

export function parseMessage(value: unknown): Message {
  const message = new Fields(value)
  const kind = message.text('kind')
  if (kind === 'joined' || kind === 'ready' || kind === 'finished') return { kind }
  if (kind === 'progress') return { kind, done: message.number('done') }
  if (kind === 'report') return { kind, report: parseReport(message.value('report')) }
  if (kind === 'childReport') {
    return { kind, name: message.text('name'), report: parseReport(message.value('report')) }
  }
  throw new TypeError(`expected a message of the bench, got kind '${kind}'`)
}

function parseReport(value: unknown): ProcessReport {
  const report = new Fields(value)
  return {
    startedAt: report.number('startedAt'),
    endedAt: report.number('endedAt'),
    arrived: report.number('arrived'),
    lost: report.number('lost'),
    outOfOrder: report.number('outOfOrder'),
    duplicates: report.number('duplicates'),
    latencies: report.text('latencies'),
    cpuMicroseconds: report.number('cpuMicroseconds'),
    rssBytes: report.number('rssBytes'),
  }
}
