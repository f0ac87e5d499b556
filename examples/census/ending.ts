import type { Endpoint } from 'lahja'
import { READER, TextEnded } from './events'

/** Milliseconds for the reader to appear. */
const PATIENCE = 30_000

/**
 * Resolves when the reader has read all of the text and left. All it had to say has arrived by then: a goodbye comes
 * last.
 *
 * @throws Error if the reader goes without having come to the end, or never appears
 */
export async function untilTextEnded(endpoint: Endpoint): Promise<void> {
  let isComplete = false
  endpoint.subscribe(TextEnded, () => {
    isComplete = true
  })
  const gone = new Promise<void>((resolve) => {
    endpoint.on('left', ({ name }) => name === READER && resolve())
    endpoint.on('lost', ({ name }) => name === READER && resolve())
  })
  await endpoint.waitUntilConnectedTo(READER, { timeout: PATIENCE })
  await gone
  if (!isComplete) throw new Error('the reader has gone before the end of the text')
}
