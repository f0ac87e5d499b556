import type { TallyReport } from './tally'

/** What a process of the bench has to do. */
export interface Job {
  readonly directory: string
  readonly name: string
  readonly consumers: number
  readonly events: number
  readonly payloadBytes: number
}

/** What a process of the bench tells the one that has started it. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly sent: number }
  | { readonly kind: 'finished'; readonly report: TallyReport }

/** The sender's name on the bus. */
export const SENDER = 'sender'

/** What the sender is told when everyone is ready. */
export const GO = 'go'

export function parseJob(text: string | undefined): Job {
  const job = fields(JSON.parse(text ?? '{}'))
  return {
    directory: job.text('directory'),
    name: job.text('name'),
    consumers: job.number('consumers'),
    events: job.number('events'),
    payloadBytes: job.number('payloadBytes'),
  }
}

export function parseMessage(value: unknown): Message {
  const message = fields(value)
  const kind = message.text('kind')
  if (kind === 'ready') return { kind }
  if (kind === 'progress') return { kind, sent: message.number('sent') }
  if (kind === 'finished') return { kind, report: parseReport(message.value('report')) }
  throw new TypeError(`expected a message of the bench, got kind '${kind}'`)
}

function parseReport(value: unknown): TallyReport {
  const report = fields(value)
  return {
    received: report.number('received'),
    lost: report.number('lost'),
    outOfOrder: report.number('outOfOrder'),
    duplicates: report.number('duplicates'),
    firstSentAt: report.number('firstSentAt'),
    lastReceivedAt: report.number('lastReceivedAt'),
    latencies: report.text('latencies'),
  }
}

function fields(value: unknown) {
  if (typeof value !== 'object' || value === null) throw new TypeError(`expected an object, got ${String(value)}`)
  const entries = new Map<string, unknown>(Object.entries(value))
  return {
    value: (name: string) => entries.get(name),
    text(name: string): string {
      const field = entries.get(name)
      if (typeof field === 'string') return field
      throw new TypeError(`${name}: expected a string, got ${String(field)}`)
    },
    number(name: string): number {
      const field = entries.get(name)
      if (typeof field === 'number') return field
      throw new TypeError(`${name}: expected a number, got ${String(field)}`)
    },
  }
}
