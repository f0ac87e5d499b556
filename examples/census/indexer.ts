import { Endpoint } from 'lahja'
import { untilTextEnded } from './ending'
import { INDEXER, LineRead } from './events'
import { give } from './notice'
import { Tally } from './tally'
import { occasionally, run, say, sayWhoIsThere } from './voice'

/** Counts the first lines of paragraphs. It subscribes to all lines, but the reader sends it only these. */
async function main(): Promise<void> {
  await using endpoint = await Endpoint.start({ name: INDEXER })
  sayWhoIsThere(endpoint)
  const tally = new Tally()
  let opening = ''
  const progress = occasionally(() => `has noted ${opening}`)

  endpoint.subscribe(LineRead, ({ payload }) => {
    tally.add(payload)
    opening = `line ${payload.number}: ${shortened(payload.text)}`
    progress()
  })
  const ended = untilTextEnded(endpoint)
  give({ kind: 'listening' })

  await ended
  say(`is done, and leaves: ${tally}`)
  give({ kind: 'total', total: tally.total })
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

run(main)
