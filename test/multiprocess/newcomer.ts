import { readdirSync } from 'node:fs'
import { Endpoint } from '../../src/index'

/** Links two endpoints, and prints the number of threads before and after. The very first looks for native code once. */
async function main([directory = '']: readonly string[]): Promise<void> {
  await (await Endpoint.start({ name: 'first', directory })).close()
  const before = threads()
  const one = await Endpoint.start({ name: 'one', directory })
  const other = await Endpoint.start({ name: 'other', directory })
  await one.waitUntilConnectedTo('other')
  process.stdout.write(JSON.stringify([before, threads()]))
  await Promise.all([one.close(), other.close()])
}

function threads(): number {
  return readdirSync('/proc/self/task').length
}

void main(process.argv.slice(2))
