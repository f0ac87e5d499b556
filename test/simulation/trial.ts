import { check } from './checker'
import type { Violation } from './checker/violation'
import type { Core } from './core'
import { History } from './history'
import type { Extent } from './plan'
import { play } from './scenario'

/** The result of one seed. */
export interface Trial {
  readonly seed: number
  readonly history: History
  readonly violations: readonly Violation[]
}

/** Runs a seed and checks its history. Uncaught errors count as violations too. */
export async function tryOut(core: Core, seed: number, extent: Extent): Promise<Trial> {
  const history = new History()
  const crashes: unknown[] = []
  const note = (reason: unknown) => crashes.push(reason)
  process.on('unhandledRejection', note)
  try {
    await play(core, seed, extent, history)
  } catch (error) {
    crashes.push(error)
  } finally {
    process.off('unhandledRejection', note)
  }
  const index = history.records.length
  const violations = crashes.map((crash) => {
    const message = crash instanceof Error ? (crash.stack ?? crash.message) : String(crash)
    return { guarantee: 'crash', message, index }
  })
  return { seed, history, violations: [...violations, ...check(history.records)] }
}

/** The report of a seed with violations. */
export function reportOf({ seed, history, violations }: Trial, { endpoints, steps }: Extent): string {
  const told = violations.slice(0, 10).map(({ guarantee, message, index }) => `  ${guarantee} at ${index}: ${message}`)
  return [
    `seed ${seed}: ${violations.length} violations`,
    ...told,
    `its end, of ${history.records.length} records (hash ${history.hash}):`,
    ...history.lines(30).map((line) => `  ${line}`),
    `again: npm run simulate -- --from ${seed} --seeds 1 --endpoints ${endpoints} --steps ${steps} --workers 1`,
  ].join('\n')
}
