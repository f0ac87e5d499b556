import { Endpoint } from 'lahja'
import { Booked, BUS, GetPrice, Sold } from './shop'

/** Customers served concurrently. */
const CUSTOMERS = 8

/** Milliseconds to wait for a booking. */
const PATIENCE = 5000

/** Sends requests and events without a break, through every restart of the service. All are answered and booked. */
async function main(): Promise<void> {
  let isOpen = true
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isOpen = false
    })
  }
  await using endpoint = await Endpoint.start({ name: 'client', bus: BUS, requireSubscriber: true })
  const services = new Set<string>()
  const unbooked = new Set<number>()
  let booked = 0
  let items = 0
  endpoint.subscribe(Booked, ({ payload }) => {
    unbooked.delete(payload.item)
    booked++
  })

  const serveCustomers = async () => {
    while (isOpen) {
      const item = ++items
      unbooked.add(item)
      await endpoint.broadcast(Sold, { item })
      const { by } = await endpoint.request(GetPrice, { item })
      if (!services.has(by)) console.log(`client is served by ${by}`)
      services.add(by)
      while (unbooked.has(item)) await endpoint.waitFor(Booked, { timeout: PATIENCE })
    }
  }
  await endpoint.waitUntilAnyEndpointSubscribedTo(GetPrice)
  await endpoint.waitUntilAnyEndpointSubscribedTo(Sold)
  await Promise.all(Array.from({ length: CUSTOMERS }, serveCustomers))
  console.log(`client has closed: ${items} answered, ${booked} booked`)
}

void main()
