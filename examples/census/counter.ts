import { Endpoint } from 'lahja'
import { untilTextEnded } from './ending'
import { COUNTER, LineRead } from './events'
import { give } from './notice'
import { Tally } from './tally'
import { occasionally, run, say, sayWhoIsThere } from './voice'

/** Counts every line with the simplest consumer: a subscription with a handler. */
async function main(): Promise<void> {
  await using endpoint = await Endpoint.start({ name: COUNTER })
  sayWhoIsThere(endpoint)
  const tally = new Tally()
  const progress = occasionally(() => `has counted ${tally}`)

  endpoint.subscribe(LineRead, ({ payload }) => {
    tally.add(payload)
    progress()
  })
  const ended = untilTextEnded(endpoint)
  give({ kind: 'listening' })

  await ended
  say(`is done, and leaves: ${tally}`)
  give({ kind: 'total', total: tally.total })
}

run(main)
