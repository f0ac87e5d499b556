import { parseArgs } from 'node:util'
import { Endpoint } from 'lahja'
import { Sample } from '../contenders/sample'

/** Of every four: one name, one pattern of a token, one of the rest, and one that begins like what is broadcast. */
function othersType(index: number): string {
  const form = ['name', '*', '>'][index % 4]
  return form ? `other.${index}.${form}` : `${Sample.name}.${index}`
}

/** Subscribes to what is broadcast and to a lot of what is not. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { directory: { type: 'string' }, others: { type: 'string' } } })
  const { directory = '', others = '0' } = values
  const endpoint = await Endpoint.start({ name: 'bystander', directory })
  const subscriptions = Array.from({ length: Number(others) }, (_, index) => {
    return endpoint.subscribe(othersType(index), () => process.exit(1))
  })
  subscriptions.push(endpoint.subscribe(Sample, () => {}))
  await Promise.all(subscriptions.map(({ ready }) => ready))
  process.once('disconnect', () => void endpoint.close())
  process.send?.('ready')
}

void main()
