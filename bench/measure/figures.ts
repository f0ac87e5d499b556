import { Latencies } from '../workers/latencies'
import { median } from './median'
import type { NamedReport, Round } from './round'

/** Of one process, or of all together. */
export interface Figures {
  /** What arrived. Of all together: an event counts once for each that has received it. */
  readonly eventsPerSecond: number
  readonly p50Microseconds: number
  readonly p90Microseconds: number
  readonly p99Microseconds: number
  readonly maxMicroseconds: number
  readonly received: number
  readonly lost: number
  readonly outOfOrder: number
  readonly duplicates: number
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** CPU seconds for a million of `received`. */
  readonly cpuSecondsPerMillion: number
}

/** Of each process that took part, in the order of their numbers. */
export function figuresByProcess(round: Round): ({ readonly name: string } & Figures)[] {
  const all = [...round.others, ...round.receivers].sort((one, other) => one.number - other.number)
  return all.map((report) => ({ name: report.name, ...figuresOf([report], [report], startOf(round)) }))
}

export function figuresOfAll(round: Round): Figures {
  return figuresOf(round.receivers, [...round.others, ...round.receivers], startOf(round))
}

/** Medians of speeds, times, CPU and memory; sums of counts; the worst of the worst. */
export function overRounds(rounds: readonly Figures[]): Figures {
  const all = (of: (figures: Figures) => number) => rounds.map(of)
  return {
    eventsPerSecond: Math.round(median(all(({ eventsPerSecond }) => eventsPerSecond))),
    p50Microseconds: median(all(({ p50Microseconds }) => p50Microseconds)),
    p90Microseconds: median(all(({ p90Microseconds }) => p90Microseconds)),
    p99Microseconds: median(all(({ p99Microseconds }) => p99Microseconds)),
    maxMicroseconds: Math.max(...all(({ maxMicroseconds }) => maxMicroseconds)),
    received: sum(all(({ received }) => received)),
    lost: sum(all(({ lost }) => lost)),
    outOfOrder: sum(all(({ outOfOrder }) => outOfOrder)),
    duplicates: sum(all(({ duplicates }) => duplicates)),
    cpuSeconds: median(all(({ cpuSeconds }) => cpuSeconds)),
    rssBytes: median(all(({ rssBytes }) => rssBytes)),
    cpuSecondsPerMillion: median(all(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion)),
  }
}

/** When the first event arrived, or was sent, where that was not noted. */
function startOf({ receivers, others }: Round): number {
  const started = [receivers, others].map((reports) => reports.map(({ startedAt }) => startedAt).filter(Boolean))
  return Math.min(...(started.find((times) => times.length > 0) ?? []))
}

/** Figures of what some have received, and of what it cost all who took part in it. */
function figuresOf(receivers: readonly NamedReport[], all: readonly NamedReport[], startedAt: number): Figures {
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
