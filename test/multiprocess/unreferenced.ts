import { once } from 'node:events'
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Endpoint } from '../../src/index'

/** Joins a bus, does what it is told, and then has nothing more to do. Prints what it did. */
async function main([directory = '', doing = '']: readonly string[]): Promise<void> {
  const endpoint = await Endpoint.start({ name: 'unreferenced', directory })
  await endpoint.waitUntilConnectedTo('other')
  if (doing === 'republish') {
    endpoint.unref()
    const path = join(directory, `${endpoint.name}~${endpoint.id}.sock`)
    rmSync(path)
    while (!existsSync(path)) await setTimeout(5)
  }
  if (doing === 'fail to republish') {
    const path = join(directory, `${endpoint.name}~${endpoint.id}.sock`)
    const obstacle = join(directory, `${endpoint.id}.new`)
    mkdirSync(obstacle)
    rmSync(path)
    await once(endpoint, 'error')
    rmdirSync(obstacle)
    while (!existsSync(path)) await setTimeout(5, undefined, { ref: false })
    process.stdout.write('published again')
    return endpoint.close()
  }
  endpoint.unref()
  if (doing === 'request') {
    endpoint.respond('echo', ({ payload }) => payload)
    const answer = endpoint.request('slow', 1)
    process.stdout.write(String(await answer))
  } else if (doing === 'wait') {
    const asked = endpoint.request('nobody', 1, { wait: 50, timeout: Number.POSITIVE_INFINITY })
    await asked.catch(({ code }) => process.stdout.write(code))
  } else if (doing === 'close') {
    await endpoint.close({ timeout: Number.POSITIVE_INFINITY })
    process.stdout.write('closed')
  } else if (doing === 'ref') {
    endpoint.ref()
    const [peer] = await once(endpoint, 'left')
    process.stdout.write(`${peer.name} left`)
    await endpoint.close()
  } else process.stdout.write('done')
}

void main(process.argv.slice(2))
