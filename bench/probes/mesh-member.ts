import { Endpoint } from 'lahja'

/** Is ready when it is loaded or, with a directory, when it is linked with all others. */
async function main(): Promise<void> {
  const [directory, name = '', ...others] = process.argv.slice(2)
  const endpoint = directory ? await Endpoint.start({ name, directory }) : undefined
  await endpoint?.waitUntilConnectedTo(others)
  process.once('disconnect', () => process.exit())
  process.send?.('ready')
}

void main()
