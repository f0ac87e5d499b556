import { Endpoint, EndpointClosed } from 'lahja'
import { BUS, Ping, Pong, Ready } from './events'
import { roundsWanted } from './rounds'

async function main(): Promise<void> {
  const rounds = roundsWanted()
  const endpoint = await Endpoint.start({ name: 'pong', bus: BUS })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => endpoint.close())
  }
  endpoint.on('left', ({ name }) => console.log(`${name} has left`))

  const pings = endpoint.stream(Ping)
  await pings.ready
  const receivers = await endpoint.broadcast(Ready)
  if (receivers === 0) console.log('waiting for ping')

  for await (const { payload } of pings) {
    console.log(`ping ${payload.round}`)
    await endpoint.broadcast(Pong, payload)
    if (payload.round === rounds) break
  }
  await endpoint.close()
}

main().catch((error: unknown) => {
  // Closed by Ctrl-C while returning a ball.
  if (!(error instanceof EndpointClosed)) throw error
})
