import { defineEvent, Endpoint } from 'lahja'
import { now } from '../workers/clock'
import { Latencies } from '../workers/latencies'
import { Pacer } from '../workers/pacer'

/** Has the time at which it was sent, in microseconds; 0 at the end. */
const Polite = defineEvent<number>('bench.polite')

const Flood = defineEvent<Uint8Array>('bench.flood')

/** Milliseconds: the receiver takes as long as it needs. */
const PATIENCE = 60_000

/** Bytes of an event of the flood. */
const BYTES = 100

/** One of three: `receiver`, `polite` or `flooding`. The receiver prints the latencies of the polite one. */
async function main(): Promise<void> {
  const [directory = '', role = '', events = '', rate = ''] = process.argv.slice(2)
  const endpoint = await Endpoint.start({ name: role, directory, limits: { patience: PATIENCE } })
  process.once('disconnect', () => process.exit())
  if (role === 'receiver') {
    const latencies = Latencies.none()
    endpoint.subscribe(Flood, () => {})
    endpoint.subscribe(Polite, ({ payload: sentAt }) => {
      if (sentAt > 0) latencies.add(now() - sentAt)
      else process.send?.(latencies.percentile(99))
    })
    process.send?.('ready')
    return
  }
  await endpoint.waitUntilEndpointSubscribedTo('receiver', role === 'polite' ? Polite : Flood)
  process.send?.('ready')
  if (role === 'flooding') for (;;) await endpoint.broadcast(Flood, Buffer.alloc(BYTES))
  const pacer = new Pacer(Number(rate))
  for (let event = 0; event < Number(events); event++) {
    await pacer.next()
    await endpoint.broadcast(Polite, now())
  }
  await endpoint.broadcast(Polite, 0)
}

void main()
