import { Fields } from './fields'

/** What one process has done and seen of one round. Times are microseconds of the shared clock. */
export interface ProcessReport {
  /** When it sent its first; 0 if it has nothing to send. */
  readonly startedAt: number
  /** When its last arrived. */
  readonly endedAt: number
  /** Events, or responses, that came, each counted once. */
  readonly arrived: number
  readonly lost: number
  readonly outOfOrder: number
  readonly duplicates: number
  /** See Latencies. */
  readonly latencies: string
  /** CPU time since everyone was ready. */
  readonly cpuMicroseconds: number
  readonly rssBytes: number
}

/** What a process of the bench tells the one that has started it. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'finished' }
  | { readonly kind: 'report'; readonly report: ProcessReport }

/** What it is told: to begin, for everyone is ready; to report and end, for everyone has finished. */
export type Order = 'go' | 'stop'

export function parseMessage(value: unknown): Message {
  const message = new Fields(value)
  const kind = message.text('kind')
  if (kind === 'ready' || kind === 'finished') return { kind }
  if (kind === 'progress') return { kind, done: message.number('done') }
  if (kind === 'report') return { kind, report: parseReport(message.value('report')) }
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
