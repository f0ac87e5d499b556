import { now } from './clock'
import type { ProcessReport } from './message'

/** The resources that this process has used since `startedAt`. */
export type Usage = () => Pick<ProcessReport, 'startedAt' | 'cpuMicroseconds' | 'rssBytes'>

/** Starts to measure this process. */
export function startUsage(): Usage {
  const startedAt = now()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return { startedAt, cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() }
  }
}
