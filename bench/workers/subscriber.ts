import { Endpoint } from 'lahja'
import { Sample } from '../contenders/lahja'

/** One quarter each: names, patterns of one token, patterns of all following tokens, and names below the broadcast one. */
function otherType(index: number): string {
  const form = ['name', '*', '>'][index % 4]
  return form ? `other.${index}.${form}` : `${Sample.name}.${index}`
}

/** Subscribes to the events of bench:matching, and to many others. */
async function main(): Promise<void> {
  const [directory = '', others] = process.argv.slice(2)
  const endpoint = await Endpoint.start({ name: 'subscriber', directory })
  const subscriptions = Array.from({ length: Number(others) }, (_, index) =>
    endpoint.subscribe(otherType(index), () => process.exit(1)),
  )
  subscriptions.push(endpoint.subscribe(Sample, () => {}))
  await Promise.all(subscriptions.map(({ ready }) => ready))
  process.once('disconnect', () => process.exit())
  process.send?.('ready')
}

void main()
