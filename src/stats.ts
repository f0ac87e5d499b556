import type { monitorEventLoopDelay } from 'node:perf_hooks'
import type { SubscriptionStats } from './events/consumer'
import type { EventStats } from './events/event-count'
import type { PeerStats } from './peers'
import type { QueueInfo } from './queues/work-queues'
import type { RequestStats } from './requests/request-count'

/** An endpoint in numbers, since its start. What counts things that are over only grows. */
export interface EndpointStats {
  readonly name: string
  readonly id: string
  readonly pid: number
  readonly state: 'open' | 'draining' | 'closed'
  readonly uptimeMs: number
  /** By type, in the order in which the types were seen first. Those beyond the first 1,000 are one, named ''. */
  readonly events: readonly EventStats[]
  /** The same, of requests. */
  readonly requests: readonly RequestStats[]
  /** The peers that are linked. */
  readonly peers: readonly PeerStats[]
  /** The open subscriptions, in the order in which they were made. */
  readonly subscriptions: readonly SubscriptionStats[]
  readonly queues: readonly QueueInfo[]
  readonly process: ProcessStats
}

/** The process of an endpoint. */
export interface ProcessStats {
  /** Bytes of memory that the process takes. */
  readonly rss: number
  /** Bytes of it that hold JavaScript objects. */
  readonly heapUsed: number
  /** The share of its time, from 0 to 1, that the event loop has been busy, since the process started. */
  readonly loopUtilization: number
  /** How late timers were. */
  readonly loopDelay: LoopDelayStats
}

/** Milliseconds by which timers of the process were late, since its first call of `stats`. 0 until some have been measured. */
export interface LoopDelayStats {
  readonly meanMs: number
  /** 99 of 100 were late by no more. */
  readonly p99Ms: number
  readonly maxMs: number
}

type LoopDelay = ReturnType<typeof monitorEventLoopDelay>

/** Milliseconds between two measurements. */
const RESOLUTION = 20

/** One for the process, from the first look on: it wakes the process up. */
let loopDelay: LoopDelay | undefined

export function processStats(): ProcessStats {
  const { rss, heapUsed } = process.memoryUsage()
  const { performance, monitorEventLoopDelay } = perfHooks()
  loopDelay ??= startLoopDelay(monitorEventLoopDelay)
  // What fakes timers may have replaced it by a function that returns nothing.
  const loopUtilization = performance.eventLoopUtilization()?.utilization ?? 0
  return { rss, heapUsed, loopUtilization, loopDelay: statsOf(loopDelay) }
}

/** Not imported: to load it takes a third of the time to join a bus. */
function perfHooks(): typeof import('node:perf_hooks') {
  return process.getBuiltinModule('node:perf_hooks')
}

function statsOf(loopDelay: LoopDelay): LoopDelayStats {
  if (loopDelay.count === 0) return { meanMs: 0, p99Ms: 0, maxMs: 0 }
  const lateMs = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - RESOLUTION, 0)
  const { mean, max } = loopDelay
  return { meanMs: lateMs(mean), p99Ms: lateMs(loopDelay.percentile(99)), maxMs: lateMs(max) }
}

function startLoopDelay(monitor: typeof monitorEventLoopDelay): LoopDelay {
  const delay = monitor({ resolution: RESOLUTION })
  delay.enable()
  return delay
}
