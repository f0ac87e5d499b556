import Table from 'cli-table3'
import type { Figures } from '../measure/figures'
import type { Result } from '../measure/result'

const HEAD = [
  'process',
  'events/s',
  'p50 ms',
  'p90 ms',
  'p99 ms',
  'max ms',
  'lost',
  'out of order',
  'duplicates',
  'CPU s',
  'RSS MiB',
]

/** The result as people read it: a table, and what it comes to in a few lines. */
export function reportOf(result: Result): string {
  const table = new Table({
    head: HEAD,
    colAligns: HEAD.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  })
  for (const figures of result.processFigures) table.push(row(figures.name, figures))
  table.push(row('all', result.total))
  return `${table.toString()}\n${result.settings}\n${summaryOf(result)}`
}

function row(name: string, figures: Figures): string[] {
  const { eventsPerSecond, lost, outOfOrder, duplicates, cpuSeconds, rssBytes } = figures
  const { p50Microseconds, p90Microseconds, p99Microseconds, maxMicroseconds } = figures
  const times = [p50Microseconds, p90Microseconds, p99Microseconds, maxMicroseconds].map(milliseconds)
  const faults = [lost, outOfOrder, duplicates].map(count)
  const isReceiver = eventsPerSecond + lost > 0
  return [
    name,
    ...[count(eventsPerSecond), ...times, ...faults].map((text) => (isReceiver ? text : '')),
    cpuSeconds.toFixed(2),
    count(Math.round(rssBytes / 2 ** 20)),
  ]
}

const VERBS = { broadcast: 'broadcast to', latency: 'broadcast to', request: 'asked of', mesh: 'from each to all of' }

function summaryOf({ mode, events, payload, payloadBytes, processes, rounds, ok, total }: Result): string {
  const unit = mode === 'request' ? 'requests' : 'events'
  const what = `${count(events)} ${unit} of ${count(payloadBytes)} bytes (${payload})`
  const work = `${what} ${VERBS[mode]} ${processes} process${processes === 1 ? '' : 'es'}`
  const median = rounds > 1 ? ` (medians of ${rounds} rounds)` : ''
  const speed = `${count(total.eventsPerSecond)} ${mode === 'request' ? 'responses' : 'deliveries'}/s`
  const cost = `${total.cpuSecondsPerMillion.toFixed(2)} CPU s per million${median}`
  const { lost, outOfOrder, duplicates } = total
  const verdict = ok
    ? 'every event arrived everywhere, once and in order'
    : `FAILED: ${count(lost)} lost, ${count(outOfOrder)} out of order, ${count(duplicates)} duplicates`
  return `${work}: ${speed}, ${cost}; ${verdict}.`
}

function count(number: number): string {
  return number.toLocaleString('en')
}

function milliseconds(microseconds: number): string {
  return (microseconds / 1000).toFixed(2)
}
