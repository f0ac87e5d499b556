import type { Endpoint } from '../../src'

/** Resolves when the receiver has handled all that the sender has sent so far; a request would overtake events. */
export async function arrived(sender: Endpoint, receiver: Endpoint): Promise<void> {
  const stream = receiver.stream('marker', { from: sender.name })
  await stream.ready
  await sender.broadcast('marker')
  await stream.next()
  await stream.return()
}
