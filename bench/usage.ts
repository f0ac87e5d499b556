import type { ProcessReport } from './message'

/** Takes the CPU time of this process from now on. */
export function startUsage(): () => Pick<ProcessReport, 'cpuMicroseconds' | 'rssBytes'> {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() }
  }
}
