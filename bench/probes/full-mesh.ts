import { setTimeout } from 'node:timers/promises'
import { Endpoint } from 'lahja'

/** Milliseconds until the buffers of the handshakes are free. */
const SETTLE = 300

/** Starts endpoints in this process until `size` of them are linked with each other. */
async function grow(endpoints: Endpoint[], size: number, directory: string): Promise<void> {
  while (endpoints.length < size)
    endpoints.push(await Endpoint.start({ name: `member-${endpoints.length}`, directory }))
  const linked = endpoints.map(async (endpoint) => {
    while (endpoint.peers.length < size - 1) await endpoint.waitUntilConnectionsChange()
  })
  await Promise.all(linked)
}

async function rss(): Promise<number> {
  for (let collection = 0; collection < 3; collection++) {
    await setTimeout(SETTLE)
    global.gc?.()
  }
  return process.memoryUsage.rss()
}

/** Sends the bytes by which each end of an idle link makes this process grow. */
async function main(): Promise<void> {
  const [directory = '', ...sizes] = process.argv.slice(2)
  const [few = 0, many = 0] = sizes.map(Number)
  const endpoints: Endpoint[] = []
  await grow(endpoints, few, directory)
  const before = await rss()
  await grow(endpoints, many, directory)
  const after = await rss()
  // Each endpoint has one end of a link to each other endpoint.
  const ends = many * (many - 1) - few * (few - 1)
  process.send?.((after - before) / ends)
  process.once('disconnect', () => process.exit())
}

void main()
