import type { Endpoint } from 'lahja'
import { READER, TextEnded } from './events'

/** Milliseconds to wait for the reader to join. */
const PATIENCE = 30_000

/**
 * Resolves when the reader has read all of the text and left. A goodbye comes last, so all lines have arrived by then.
 *
 * @throws Error if the reader leaves before the end of the text, or never joins
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
