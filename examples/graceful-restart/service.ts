import { setTimeout as pause } from 'node:timers/promises'
import { Endpoint } from 'lahja'
import { Booked, BUS, GetPrice, SERVICE, Sold } from './shop'

/** Milliseconds that everything takes, so that there is always something that has begun, and something that waits. */
const EFFORT = 5

/**
 * One generation of the service, the first unless the argument says which. For a moment two of them are there at once,
 * so each has a name of its own; what they are known by is their group.
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
    process.once(signal, async () => {
      // Takes no more, ends what it has begun, leaves to the next one what waits, and goes.
      await endpoint.close()
      console.log(`${name} has closed: ${answered} answered, ${booked} booked`)
    })
  }
  // From here on everyone knows of this generation: the one before can go.
  await Promise.all([prices.ready, sales.ready])
  console.log(`${name} is ready`)
}

void main()
