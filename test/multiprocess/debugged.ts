import { once } from 'node:events'
import { Endpoint } from '../../src/index'

/** Links two endpoints with the secret, and waits until one without it is refused. Prints the three ids. */
async function main([directory = '', secret = '']: readonly string[]): Promise<void> {
  const shop = await Endpoint.start({ name: 'shop', directory, secret })
  const refused = once(shop, 'error')
  const till = await Endpoint.start({ name: 'till', directory, secret })
  await shop.waitUntilConnectedTo('till')
  const visitor = await Endpoint.start({ name: 'visitor', directory })
  visitor.on('error', () => {})
  await refused
  await Promise.all([shop, till, visitor].map((endpoint) => endpoint.close()))
  process.stdout.write(JSON.stringify([shop.id, till.id, visitor.id]))
}

process.removeAllListeners('warning')
void main(process.argv.slice(2))
