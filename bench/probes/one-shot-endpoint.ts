import { Endpoint } from 'lahja'

/** Sends one event to the receiver and ends. */
async function main(): Promise<void> {
  const [directory = ''] = process.argv.slice(2)
  const endpoint = await Endpoint.start({ name: 'sender', directory })
  await endpoint.waitUntilConnectedTo('receiver')
  await endpoint.broadcast('bench.shot', { id: 1, note: 'only one' })
  await endpoint.close()
}

void main()
