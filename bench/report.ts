import Table from 'cli-table3'
import type { Figures, Result } from './figures'

const HEAD = ['process', 'events/s', 'p50 ms', 'p99 ms', 'lost', 'out of order', 'duplicates']

/** The result as people read it: a table, and what it comes to in one line. */
export function reportOf(result: Result): string {
  const table = new Table({
    head: HEAD,
    colAligns: HEAD.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  })
  for (const consumer of result.consumers) table.push(row(consumer.name, consumer))
  table.push(row('all deliveries', result.total))
  return `${table.toString()}\n${summaryOf(result)}`
}

function row(name: string, figures: Figures): string[] {
  const { eventsPerSecond, p50Microseconds, p99Microseconds, lost, outOfOrder, duplicates } = figures
  const counts = [lost, outOfOrder, duplicates].map(count)
  return [name, count(eventsPerSecond), milliseconds(p50Microseconds), milliseconds(p99Microseconds), ...counts]
}

function summaryOf({ events, payloadBytes, processes, rounds, ok, total }: Result): string {
  const work = `${count(events)} events of ${count(payloadBytes)} bytes to ${processes} process${processes === 1 ? '' : 'es'}`
  const median = rounds > 1 ? ` (median of ${rounds} rounds)` : ''
  const speed = `${count(total.eventsPerSecond)} deliveries/s${median}`
  const { lost, outOfOrder, duplicates } = total
  const verdict = ok
    ? 'every event arrived everywhere, once and in order'
    : `FAILED: ${count(lost)} lost, ${count(outOfOrder)} out of order, ${count(duplicates)} duplicates`
  return `${work}: ${speed}; ${verdict}.`
}

function count(number: number): string {
  return number.toLocaleString('en')
}

function milliseconds(microseconds: number): string {
  return (microseconds / 1000).toFixed(2)
}
