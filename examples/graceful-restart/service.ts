import { setTimeout as pause } from 'node:timers/promises'
import { Endpoint } from 'lahja'
import { Booked, BUS, GetPrice, SERVICE, Sold } from './shop'

/** Milliseconds of work per request or event, so that some are always running and some are waiting. */
const EFFORT = 5

/**
 * One generation of the service; the argument is its number, default 1. For a moment two generations run at once, so each
 * has its own name, and they are addressed by their group.
 */
async function main(): Promise<void> {
  const name = `service-${process.argv[2] ?? 1}`
  const endpoint = await Endpoint.start({ name, bus: BUS, groups: [SERVICE] })
  let answered = 0
  let booked = 0

  const prices = endpoint.respond(GetPrice, async ({ payload }) => {
    await pause(EFFORT)
    answered++
    return { price: payload.item * 100, by: name }
  })
  const sales = endpoint.subscribe(
    Sold,
    async ({ payload, origin }) => {
      await pause(EFFORT)
      booked++
      await endpoint.broadcast(Booked, payload, { to: origin })
    },
    { queue: SERVICE },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      // Accepts no new work, finishes running work, and leaves waiting work to the next generation.
      await endpoint.close()
      console.log(`${name} has closed: ${answered} answered, ${booked} booked`)
    })
  }
  // All peers know this generation now, so the previous one can leave.
  await Promise.all([prices.ready, sales.ready])
  console.log(`${name} is ready`)
}

void main()
