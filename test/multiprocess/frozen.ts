import { Endpoint, RemoteError } from '../../src/index'

const PAYLOADS = ['', 'x'.repeat(1000), 'x'.repeat(100_000)].map((text) => ({
  constructor: 'a word',
  toString: { hasOwnProperty: [1] },
  valueOf: null,
  message: 'no',
  name: 'a name',
  get: 1,
  text,
}))

/** Sends keys that frozen prototypes have, and an error, and prints what has arrived. */
async function main([directory = '']: readonly string[]): Promise<void> {
  for (const { prototype } of [
    Object,
    Array,
    Function,
    Error,
    TypeError,
    RangeError,
    Map,
    Set,
    Date,
    Promise,
    RegExp,
  ]) {
    Object.freeze(prototype)
  }
  const [a, b] = [await Endpoint.start({ name: 'a', directory }), await Endpoint.start({ name: 'b', directory })]
  await a.waitUntilConnectedTo('b')
  const stream = b.stream('tick', { limit: PAYLOADS.length })
  await b.respond('echo', ({ payload }) => payload).ready
  await b.respond('fail', () => Promise.reject(new RangeError('on purpose'))).ready
  await stream.ready
  for (const payload of PAYLOADS) await a.broadcast('tick', payload)
  let events = 0
  for await (const { payload } of stream) {
    if (JSON.stringify(payload) === JSON.stringify(PAYLOADS[events])) events++
  }
  let answers = 0
  for (const payload of PAYLOADS) {
    if (JSON.stringify(await a.request('echo', payload)) === JSON.stringify(payload)) answers++
  }
  const failure: unknown = await a.request('fail').catch((error) => error)
  const remote = failure instanceof RemoteError ? failure.remote.message : 'nothing'
  process.stdout.write(`${events} events, ${answers} answers, failed ${remote}`)
  await Promise.all([a.close(), b.close()])
}

void main(process.argv.slice(2))
