import { Endpoint } from 'lahja'
import { ASKER, BUS, TRANSLATOR, Translate } from './translate'

const FINNISH = new Map([
  ['endpoint', 'päätepiste'],
  ['event', 'tapahtuma'],
  ['gift', 'lahja'],
  ['network', 'verkko'],
])

/** Translates for the asker until it leaves. */
async function main(): Promise<void> {
  await using endpoint = await Endpoint.start({ name: TRANSLATOR, bus: BUS })
  endpoint.respond(Translate, ({ payload, origin }) => {
    console.log(`${origin} asks for ${payload}`)
    const word = FINNISH.get(payload)
    if (word === undefined) throw new Error(`there is no ${payload} here`)
    return word
  })

  if (!endpoint.isConnectedTo(ASKER)) console.log('waiting for somebody who asks')
  await endpoint.waitUntilConnectedTo(ASKER)
  while (endpoint.isConnectedTo(ASKER)) await endpoint.waitUntilConnectionsChange()
}

void main()
