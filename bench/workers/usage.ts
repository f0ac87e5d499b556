import type { ProcessReport } from './message'

/** What a process has taken since a moment. */
export type Usage = () => Pick<ProcessReport, 'cpuMicroseconds' | 'rssBytes'>

/** Takes the CPU time of this process from now on. */
export function startUsage(): Usage {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() }
  }
}
