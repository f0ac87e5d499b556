import { Latencies } from '../workers/latencies'
import type { ProcessReport } from '../workers/message'
import { median } from './median'
import type { Round } from './round'

/** Of one process, or of a round: there, an event counts once for each of its receivers. */
export type Figures = Readonly<ReturnType<typeof figuresOf>>

/** By number. */
export function figuresByProcess(round: Round): ({ readonly name: string } & Figures)[] {
  const all = [...round.others, ...round.receivers].sort((one, other) => one.number - other.number)
  return all.map((report) => ({ name: report.name, ...figuresOf([report], [report], startOf(round)) }))
}

export function figuresOfAll(round: Round): Figures {
  return figuresOf(round.receivers, [...round.others, ...round.receivers], startOf(round))
}

/** Sums of counts, the maximum of maxima, medians of everything else. */
export function overRounds(rounds: readonly Figures[]): Figures {
  const over = (figure: keyof Figures, of: (values: readonly number[]) => number = median) =>
    of(rounds.map((figures) => figures[figure]))
  return {
    eventsPerSecond: Math.round(over('eventsPerSecond')),
    p50Microseconds: over('p50Microseconds'),
    p90Microseconds: over('p90Microseconds'),
    p99Microseconds: over('p99Microseconds'),
    maxMicroseconds: over('maxMicroseconds', (values) => Math.max(...values)),
    received: over('received', sum),
    lost: over('lost', sum),
    outOfOrder: over('outOfOrder', sum),
    duplicates: over('duplicates', sum),
    cpuSeconds: over('cpuSeconds'),
    rssBytes: over('rssBytes'),
    cpuSecondsPerMillion: over('cpuSecondsPerMillion'),
  }
}

/** Whether every event arrived everywhere, once and in order. */
export function isComplete({ received, lost, outOfOrder, duplicates }: Figures): boolean {
  return received > 0 && lost === 0 && outOfOrder === 0 && duplicates === 0
}

/** When the first event arrived or, unless receivers have noted that, was sent. */
function startOf({ receivers, others }: Round): number {
  const started = [receivers, others].map((reports) => reports.map(({ startedAt }) => startedAt).filter(Boolean))
  return Math.min(...(started.find((times) => times.length > 0) ?? []))
}

/** @param all the processes whose CPU time and memory count */
function figuresOf(receivers: readonly ProcessReport[], all: readonly ProcessReport[], startedAt: number) {
  const received = sum(receivers.map(({ arrived }) => arrived))
  const seconds = (Math.max(...receivers.map(({ endedAt }) => endedAt)) - startedAt) / 1e6
  const latencies = Latencies.of(receivers.map((report) => report.latencies))
  const cpuSeconds = sum(all.map(({ cpuMicroseconds }) => cpuMicroseconds)) / 1e6
  return {
    eventsPerSecond: seconds > 0 ? Math.round(received / seconds) : 0,
    p50Microseconds: latencies.percentile(50),
    p90Microseconds: latencies.percentile(90),
    p99Microseconds: latencies.percentile(99),
    maxMicroseconds: latencies.max,
    received,
    lost: sum(receivers.map(({ lost }) => lost)),
    outOfOrder: sum(receivers.map(({ outOfOrder }) => outOfOrder)),
    duplicates: sum(receivers.map(({ duplicates }) => duplicates)),
    cpuSeconds,
    rssBytes: sum(all.map(({ rssBytes }) => rssBytes)),
    cpuSecondsPerMillion: received === 0 ? 0 : (cpuSeconds / received) * 1e6,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
