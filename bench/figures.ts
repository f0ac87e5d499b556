import { mergeLatencies } from './latency'
import type { Plan } from './plan'
import type { Round } from './round'
import type { TallyReport } from './tally'

/** Of one consumer, or of all of them together. Speeds are medians of the rounds, counts are sums. */
export interface Figures {
  readonly eventsPerSecond: number
  readonly p50Microseconds: number
  readonly p99Microseconds: number
  readonly received: number
  readonly lost: number
  readonly outOfOrder: number
  readonly duplicates: number
}

/** What `--json` prints. */
export interface Result extends Omit<Plan, 'json'> {
  readonly node: string
  /** Did every event arrive everywhere, once and in order? */
  readonly ok: boolean
  readonly consumers: readonly (Figures & { readonly name: string })[]
  /** All deliveries: `eventsPerSecond` counts an event once for each consumer. */
  readonly total: Figures
}

export function resultOf({ json: _, ...plan }: Plan, rounds: readonly Round[]): Result {
  const consumers = Array.from({ length: plan.processes }, (_, index) => ({
    name: `consumer-${index + 1}`,
    ...overRounds(rounds.map((round) => figuresOf(round.slice(index, index + 1)))),
  }))
  const total = overRounds(rounds.map(figuresOf))
  const ok = total.lost + total.outOfOrder + total.duplicates === 0
  return { ...plan, node: process.version, ok, consumers, total }
}

/** The figures of some consumers in one round. */
function figuresOf(reports: readonly TallyReport[]): Figures {
  const heard = reports.filter(({ received }) => received > 0)
  const from = Math.min(...heard.map(({ firstSentAt }) => firstSentAt))
  const to = Math.max(...heard.map(({ lastReceivedAt }) => lastReceivedAt))
  const received = sum(reports.map((report) => report.received))
  const latencies = mergeLatencies(heard.map((report) => report.latencies))
  return {
    eventsPerSecond: received === 0 ? 0 : Math.round((received / (to - from)) * 1000),
    p50Microseconds: latencies.getValueAtPercentile(50),
    p99Microseconds: latencies.getValueAtPercentile(99),
    received,
    lost: sum(reports.map(({ lost }) => lost)),
    outOfOrder: sum(reports.map(({ outOfOrder }) => outOfOrder)),
    duplicates: sum(reports.map(({ duplicates }) => duplicates)),
  }
}

function overRounds(rounds: readonly Figures[]): Figures {
  return {
    eventsPerSecond: Math.round(median(rounds.map((round) => round.eventsPerSecond))),
    p50Microseconds: Math.round(median(rounds.map((round) => round.p50Microseconds))),
    p99Microseconds: Math.round(median(rounds.map((round) => round.p99Microseconds))),
    received: sum(rounds.map(({ received }) => received)),
    lost: sum(rounds.map(({ lost }) => lost)),
    outOfOrder: sum(rounds.map(({ outOfOrder }) => outOfOrder)),
    duplicates: sum(rounds.map(({ duplicates }) => duplicates)),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  const upper = sorted[sorted.length >> 1] ?? 0
  const lower = sorted[(sorted.length - 1) >> 1] ?? 0
  return (lower + upper) / 2
}
