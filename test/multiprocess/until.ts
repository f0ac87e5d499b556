import { setTimeout } from 'node:timers/promises'

/** Milliseconds between two looks. */
const INTERVAL = 5

/**
 * Resolves when a condition holds that nobody tells of.
 *
 * @param within milliseconds after which it is given up
 */
export async function until(condition: () => boolean | Promise<boolean>, within = 60_000): Promise<void> {
  const deadline = performance.now() + within
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`expected within ${within} ms: ${condition}`)
    await setTimeout(INTERVAL)
  }
}
