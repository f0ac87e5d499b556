import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'

/** Describes this machine. */
export function machine(): string {
  const memory = Math.round(totalmem() / 2 ** 30)
  const model = cpus()[0]?.model.trim() || 'unknown'
  return `${availableParallelism()} cores of ${model}, ${memory} GiB, ${platform()} ${release()} (${arch()})`
}
