import { setTimeout } from 'node:timers/promises'

/** Milliseconds between two checks. */
const INTERVAL = 5

/**
 * Resolves when the condition holds. It is polled.
 *
 * @param within milliseconds after which it rejects
 */
export async function until(condition: () => boolean | Promise<boolean>, within = 60_000): Promise<void> {
  const deadline = performance.now() + within
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`expected within ${within} ms: ${condition}`)
    await setTimeout(INTERVAL)
  }
}
