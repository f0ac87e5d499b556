import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Packr, Unpackr } from 'msgpackr'
import { EventDecoder } from '../../src/wire/event-decoder'
import { EventEncoder, type EventFrame } from '../../src/wire/event-encoder'
import { PREFIX_BYTES } from '../../src/wire/frame'
import { PAYLOADS, type PayloadName, payloadKind } from '../contenders/payload'
import { median } from '../measure/median'
import { tableOf } from '../report/table'
import { oneOf, runProgram } from './program'

/** The most of the time of msgpackr that writing and reading may take. */
const BOUND = 0.8

const USAGE = `Usage: npm run bench:codec -- [options]

Measures how long one event takes to be written and to be read, in nanoseconds, and how long msgpackr takes for the same
[type, payload] by pack and unpack. Of each payload twice: in a program that has no others, and in one that has all. Medians of
rounds in which all take turns. The ratio is that of both together, at most ${BOUND}.

  --payload KIND   only this one, in a program of its own, as a line of JSON
  --help           print this help

Exit code: 0 if every bound is kept, 1 if not, 2 for invalid arguments.`

const TYPE = 'bench.sample'
const BYTES = 100
const ROUNDS = 31
const REPEATS = 20

/** As many as a slab holds of most payloads: they leave in one write and arrive in one read. */
const EVENTS = 64

const SIDES = ['write', 'read', 'theirWrite', 'theirRead'] as const

type Sides<Value> = Readonly<Record<(typeof SIDES)[number], Value>>

/** The event of a payload that has been sent so often before that its objects are records. */
function recurring(encoder: EventEncoder, payload: unknown): EventFrame {
  for (let event = 0; event < EVENTS; event++) encoder.event(TYPE, payload, undefined, [])
  encoder.releaseSlabs()
  return encoder.event(TYPE, payload, undefined, [])
}

function sidesOf(name: PayloadName): Sides<() => void> {
  const payload = payloadKind(name, BYTES).make(1, 0, 1_764_000_000_000_000)
  const encoder = new EventEncoder(64 * 1024 * 1024)
  const decoder = new EventDecoder()
  const { bytes, start, end } = recurring(encoder, payload)
  for (const keys of encoder.shapes) decoder.shapes.add(keys)
  const length = end - start - PREFIX_BYTES
  const chunk = Buffer.concat(Array.from({ length: EVENTS }, () => bytes.subarray(start + PREFIX_BYTES, end)))
  const packr = new Packr({ useRecords: false })
  const unpackr = new Unpackr({ useRecords: false })
  const bodies = Array.from({ length: EVENTS }, () => Buffer.from(packr.pack([TYPE, payload])))
  return {
    write() {
      encoder.releaseSlabs()
      for (let event = 0; event < EVENTS; event++) encoder.event(TYPE, payload, undefined, [])
    },
    read() {
      for (let at = 0; at < chunk.length; at += length) {
        decoder.readPreamble(chunk, at, at + length)
        decoder.payload(chunk, at + length)
      }
      decoder.forget()
    },
    theirWrite() {
      for (let event = 0; event < EVENTS; event++) packr.pack([TYPE, payload])
    },
    theirRead() {
      for (const body of bodies) unpackr.unpack(body)
    },
  }
}

/** Nanoseconds for an event, of each payload, after as many rounds of warm-up. */
function measure(payloads: readonly PayloadName[]): [PayloadName, Sides<number>][] {
  const measured = payloads.map((name) => {
    const times: Sides<number[]> = { write: [], read: [], theirWrite: [], theirRead: [] }
    return { name, works: sidesOf(name), times }
  })
  for (let round = 0; round < 2 * ROUNDS; round++) {
    for (const { works, times } of measured) for (const side of SIDES) times[side].push(timeOf(works[side]))
  }
  return measured.map(({ name, times }) => {
    const of = (side: keyof typeof times) => median(times[side].slice(ROUNDS))
    return [name, { write: of('write'), read: of('read'), theirWrite: of('theirWrite'), theirRead: of('theirRead') }]
  })
}

function timeOf(work: () => void): number {
  const startedAt = process.hrtime.bigint()
  for (let repeat = 0; repeat < REPEATS; repeat++) work()
  return Number(process.hrtime.bigint() - startedAt) / REPEATS / EVENTS
}

/** In a program of its own. */
function measureAlone(name: PayloadName): Sides<number> {
  const args = [...process.execArgv, __filename, '--payload', name]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

function ratioOf({ write, read, theirWrite, theirRead }: Sides<number>): number {
  return (write + read) / (theirWrite + theirRead)
}

function rowOf(name: string, sides: Sides<number>): string[] {
  const ratio = ratioOf(sides)
  const times = SIDES.map((side) => sides[side].toFixed(0))
  return [name, ...times, ratio.toFixed(2), ratio <= BOUND ? 'ok' : 'MISSED']
}

function parse(args: string[]) {
  const options = { payload: { type: 'string' }, help: { type: 'boolean', default: false } } as const
  return parseArgs({ args, options }).values
}

runProgram(USAGE, parse, async ({ payload }) => {
  if (payload !== undefined) {
    for (const [, sides] of measure([oneOf('payload', payload, PAYLOADS)])) console.log(JSON.stringify(sides))
    return 0
  }
  const alone = PAYLOADS.map((name): [string, Sides<number>] => [`${name}, alone`, measureAlone(name)])
  const mixed = measure(PAYLOADS).map(([name, sides]): [string, Sides<number>] => [`${name}, mixed`, sides])
  const all = [...alone, ...mixed]
  const head = ['ns an event', 'write', 'read', 'msgpackr: pack', 'unpack', 'ratio', '']
  console.log(
    tableOf(
      head,
      all.map(([name, sides]) => rowOf(name, sides)),
    ),
  )
  return all.every(([, sides]) => ratioOf(sides) <= BOUND) ? 0 : 1
})
