import { Endpoint, RemoteError } from 'lahja'
import { ASKER, BUS, Translate } from './translate'

/** Asks for one word after another: the arguments, or three words of its own. */
async function main(): Promise<void> {
  const given = process.argv.slice(2)
  const words = given.length > 0 ? given : ['gift', 'network', 'broker']

  await using endpoint = await Endpoint.start({ name: ASKER, bus: BUS })
  if (!endpoint.isAnyEndpointSubscribedTo(Translate)) console.log('waiting for somebody to ask')
  await endpoint.waitUntilAnyEndpointSubscribedTo(Translate)
  for (const word of words) console.log(`${word}: ${await translationOf(word, endpoint)}`)
}

async function translationOf(word: string, endpoint: Endpoint): Promise<string> {
  try {
    return await endpoint.request(Translate, word)
  } catch (error) {
    // A RemoteError is an error that the responder threw. Every other failure has its own class.
    if (!(error instanceof RemoteError)) throw error
    return `${error.origin} says: ${error.remote.message}`
  }
}

void main()
