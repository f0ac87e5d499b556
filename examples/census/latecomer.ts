import { Endpoint } from 'lahja'
import { untilTextEnded } from './ending'
import { LATECOMER, LineRead, READER } from './events'
import { give } from './notice'
import { Tally } from './tally'
import { occasionally, run, say, sayWhoIsThere } from './voice'

/** Joins after the reading has begun, and misses nothing from then on. It consumes events as a stream. */
async function main(): Promise<void> {
  await using endpoint = await Endpoint.start({ name: LATECOMER })
  sayWhoIsThere(endpoint)
  if (!endpoint.isConnectedTo(READER)) throw new Error('has come too late: the reader has gone')
  const tally = new Tally()
  const progress = occasionally(() => `has heard ${tally}, beginning with line ${tally.total.from}`)

  const ended = untilTextEnded(endpoint)
  const lines = endpoint.stream(LineRead)
  // Closing ends the stream; lines that have arrived can still be read.
  const close = () => endpoint.close()
  ended.then(close, close)

  for await (const { payload } of lines) {
    tally.add(payload)
    progress()
  }
  await ended
  say(`is done, and leaves: ${tally}`)
  give({ kind: 'total', total: tally.total })
}

run(main)
