import { setTimeout as pause } from 'node:timers/promises'
import { Endpoint, EndpointClosed } from 'lahja'
import { BUS, Ping, Pong, Ready } from './events'
import { roundsWanted } from './rounds'

async function main(): Promise<void> {
  const rounds = roundsWanted()
  const endpoint = await Endpoint.start({ name: 'ping', bus: BUS })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => endpoint.close())
  }
  endpoint.on('left', ({ name }) => console.log(`${name} has left`))

  let round = 1
  const serve = async () => {
    const receivers = await endpoint.broadcast(Ping, { round })
    if (receivers === 0) console.log('waiting for pong')
  }
  const pongs = endpoint.stream(Pong)
  // Pong may start later or restart: then it has not seen the current ball.
  await endpoint.subscribe(Ready, serve).ready
  await serve()

  for await (const { payload } of pongs) {
    // A ball that was served twice is returned twice.
    if (payload.round !== round) continue
    console.log(`pong ${round}`)
    if (round === rounds) break
    await pause(500)
    round++
    await serve()
  }
  await endpoint.close()
}

main().catch((error: unknown) => {
  // Closed by Ctrl-C while serving a ball.
  if (!(error instanceof EndpointClosed)) throw error
})
