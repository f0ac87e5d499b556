import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { Endpoint, PayloadTooLarge } from 'lahja'
import { INDEXER, LATECOMER, LineRead, READER, TextEnded } from './events'
import { give } from './notice'
import { counted, Tally } from './tally'
import { type Line, linesOf, middleOf, openingsOf } from './text'
import { occasionally, run, say, sayWhoIsThere } from './voice'

/** Milliseconds to wait for slow receivers. The text must arrive complete, so this is long. */
const PATIENCE = 60_000

/** Pauses during the reading, so that people can watch. */
const PAUSES = 100

/** Broadcasts every line of a text. */
async function main(): Promise<void> {
  const [path = '', seconds = '0'] = process.argv.slice(2)
  const lines = linesOf(await readFile(path, 'utf8'))

  await using endpoint = await Endpoint.start({ name: READER, limits: { patience: PATIENCE } })
  sayWhoIsThere(endpoint)
  const tally = new Tally()
  await read(endpoint, lines, tally, Number(seconds) * 1000)
  await endpoint.broadcast(TextEnded)
  say(`is done, and leaves: ${tally}`)
  await endpoint.close({ timeout: PATIENCE })
  give({ kind: 'total', total: tally.total })
}

async function read(endpoint: Endpoint, lines: readonly Line[], tally: Tally, duration: number): Promise<void> {
  const arrival = endpoint.waitUntilEndpointSubscribedTo(LATECOMER, LineRead, { timeout: PATIENCE })
  // It is awaited below, unless reading fails before that.
  arrival.catch(() => {})
  const openings = new Set(openingsOf(lines))
  const step = Math.ceil(lines.length / PAUSES)
  const progress = occasionally(() => `has read ${tally}, of ${counted(lines.length, 'line')} in all`)

  if (lines.length === 0) give({ kind: 'reading' })
  for (const line of lines) {
    await send(endpoint, line, openings.has(line))
    tally.add(line)
    progress()
    if (line.number === 1) give({ kind: 'reading' })
    if (line.number % step === 0) await pause(duration / PAUSES)
    if (line.number === middleOf(lines)) {
      // Otherwise the latecomer could miss all of a short text.
      say(`is half-way through, and goes on when the ${LATECOMER} is there`)
      await arrival
    }
  }
  await arrival
}

/** Sends the line to all endpoints, but to the indexer only if it begins a paragraph. */
async function send(endpoint: Endpoint, line: Line, isOpening: boolean): Promise<void> {
  try {
    await endpoint.broadcast(LineRead, line, { except: INDEXER })
    if (isOpening) await endpoint.broadcast(LineRead, line, { to: INDEXER })
  } catch (error) {
    if (!(error instanceof PayloadTooLarge)) throw error
    process.exitCode = 2
    throw new Error(`line ${line.number} is too long: ${error.message}`, { cause: error })
  }
}

run(main)
