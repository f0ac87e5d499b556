import Module from 'node:module'
import { Endpoint } from '../../src/index'

/** As after a deploy that replaced node_modules, or without a free descriptor. */
function breakLoading(): void {
  const fail = (): never => {
    throw new Error('expected nothing to be loaded any more')
  }
  Object.assign(Module, { _load: fail, _resolveFilename: fail })
  process.dlopen = fail
}

function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

const PAYLOADS = [10, 1024, 100 * 1024].flatMap((size) => [
  'x'.repeat(size),
  'é'.repeat(size),
  Buffer.alloc(size, 'x'),
  { text: 'x'.repeat(size), bytes: Buffer.alloc(size, 'y') },
])

/** Sends and receives payloads of many sizes, with no module loaded on the way, and prints how many have arrived. */
async function main([directory = '']: readonly string[]): Promise<void> {
  const writer = await Endpoint.start({ name: 'writer', directory })
  const reader = await Endpoint.start({ name: 'reader', directory })
  await writer.waitUntilConnectedTo('reader')
  breakLoading()
  const stream = reader.stream('tick', { limit: 10 * PAYLOADS.length })
  await stream.ready
  await reader.respond('echo', ({ payload }) => payload).ready
  const arrived = (async () => {
    let count = 0
    for await (const { payload } of stream) {
      if (count === 0) block(200)
      if (JSON.stringify(payload) === JSON.stringify(PAYLOADS[count % PAYLOADS.length])) count++
    }
    return count
  })()
  for (let round = 0; round < 10; round++) for (const payload of PAYLOADS) await writer.broadcast('tick', payload)
  let answered = 0
  for (const payload of PAYLOADS) {
    const answer = await writer.request('echo', payload)
    if (JSON.stringify(answer) === JSON.stringify(payload)) answered++
  }
  process.stdout.write(`${await arrived} events, ${answered} answers`)
  await Promise.all([writer.close(), reader.close()])
}

void main(process.argv.slice(2))
