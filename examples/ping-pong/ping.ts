import { setTimeout as pause } from 'node:timers/promises'
import { Endpoint, EndpointClosed } from 'lahja'
import { BUS, Ping, Pong, Ready } from './events'
import { roundsWanted } from './rounds'

async function main(): Promise<void> {
  const rounds = roundsWanted()
  const endpoint = await Endpoint.start({ name: 'ping', bus: BUS })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => endpoint.close())
  }
  endpoint.on('left', ({ name }) => console.log(`${name} has left`))

  let round = 1
  const serve = async () => {
    const receivers = await endpoint.broadcast(Ping, { round })
    if (receivers === 0) console.log('waiting for pong')
  }
  const pongs = endpoint.stream(Pong)
  // Pong may come later, or come back: it has not seen the ball that is in play.
  endpoint.subscribe(Ready, serve)
  await serve()

  for await (const { payload } of pongs) {
    // A ball that was served twice comes back twice.
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
  // Ctrl-C came while there was a ball to serve.
  if (!(error instanceof EndpointClosed)) throw error
})
