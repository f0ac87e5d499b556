import { Script } from './script'

const GENERATIONS = 3

/** Replaces the service repeatedly while a client uses it: the new one starts before the old one stops. */
async function main(): Promise<void> {
  const client = new Script('client')
  let service: Script | undefined
  for (let generation = 1; generation <= GENERATIONS; generation++) {
    const served = client.untilPrinted(`client is served by service-${generation}`)
    const next = new Script('service', String(generation))
    await next.untilPrinted(`service-${generation} is ready`)
    await service?.end()
    await served
    service = next
  }
  await client.end()
  await service?.end()
}

void main()
