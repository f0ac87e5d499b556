import { Endpoint } from 'lahja'

/** Tells that it is there: once it has been loaded or, with a directory to join, once it is linked with all others. */
async function main(): Promise<void> {
  const [directory, name = '', ...others] = process.argv.slice(2)
  const endpoint = directory ? await Endpoint.start({ name, directory }) : undefined
  await endpoint?.waitUntilConnectedTo(others)
  process.once('disconnect', () => process.exit())
  process.send?.('ready')
}

void main()
