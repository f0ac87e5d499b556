import type { Figures } from '../measure/figures'
import type { Result } from '../measure/result'
import { tableOf } from './table'

const TIMES = ['p50 ms', 'p90 ms', 'p99 ms', 'max ms']
const HEAD = ['process', 'events/s', ...TIMES, 'lost', 'out of order', 'duplicates', 'CPU s', 'RSS MiB']

/** A result for a terminal, with a summary. */
export function resultTable(result: Result): string {
  const rows = [...result.processFigures, { name: 'all', ...result.total }].map(rowOf)
  return `${tableOf(HEAD, rows)}\n${result.settings}\n${summaryOf(result)}`
}

function rowOf({ name, ...figures }: { readonly name: string } & Figures): string[] {
  const { eventsPerSecond, lost, outOfOrder, duplicates, cpuSeconds, rssBytes } = figures
  const { p50Microseconds, p90Microseconds, p99Microseconds, maxMicroseconds } = figures
  const times = [p50Microseconds, p90Microseconds, p99Microseconds, maxMicroseconds].map((time) => {
    return (time / 1000).toFixed(2)
  })
  const received = [count(eventsPerSecond), ...times, ...[lost, outOfOrder, duplicates].map(count)]
  const isReceiver = eventsPerSecond + lost > 0
  return [
    name,
    ...received.map((text) => (isReceiver ? text : '')),
    cpuSeconds.toFixed(2),
    count(Math.round(rssBytes / 2 ** 20)),
  ]
}

const VERBS = {
  broadcast: 'broadcast to',
  latency: 'broadcast to',
  request: 'asked of',
  mesh: 'from each to all of',
  queue: 'shared by',
}

function summaryOf({ mode, events, payload, payloadBytes, processes, rounds, ok, total }: Result): string {
  const [sent, received] = mode === 'request' ? ['requests', 'responses'] : ['events', 'deliveries']
  const what = `${count(events)} ${sent} of ${count(payloadBytes)} bytes (${payload})`
  const work = `${what} ${VERBS[mode]} ${processes} process${processes === 1 ? '' : 'es'}`
  const speed = `${count(total.eventsPerSecond)} ${received}/s`
  const median = rounds > 1 ? ` (medians of ${rounds} rounds)` : ''
  const cost = `${total.cpuSecondsPerMillion.toFixed(2)} CPU s per million${median}`
  const { lost, outOfOrder, duplicates } = total
  const verdict = ok
    ? mode === 'queue'
      ? 'every event arrived once'
      : 'every event arrived everywhere, once and in order'
    : `FAILED: ${count(lost)} lost, ${count(outOfOrder)} out of order, ${count(duplicates)} duplicates`
  return `${work}: ${speed}, ${cost}; ${verdict}.`
}

function count(number: number): string {
  return number.toLocaleString('en')
}
