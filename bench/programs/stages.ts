import { parseArgs } from 'node:util'
import { Inbound } from '../../src/channel/inbound'
import { ReceiveWindow } from '../../src/channel/receive-window'
import { eventCounts } from '../../src/events/event-count'
import { subscribeSettings } from '../../src/events/subscribe-options'
import { Subscriptions } from '../../src/events/subscriptions'
import { TurnBudget } from '../../src/events/turn-budget'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { systemClock } from '../../src/platform/clock'
import { MemberInboxes } from '../../src/queues/member-inboxes'
import { encodeMessage } from '../../src/wire/codec'
import { EventDecoder } from '../../src/wire/event-decoder'
import { EventEncoder } from '../../src/wire/event-encoder'
import { FrameReader } from '../../src/wire/frame'
import type { ShapeKeys } from '../../src/wire/shape-limits'
import { SLAB_BYTES } from '../../src/wire/slabs'
import { PAYLOADS, type PayloadName, payloadKind } from '../contenders/payload'
import { median } from '../measure/median'
import { tableOf } from '../report/table'
import { runProgram } from './program'

const USAGE = `Usage: npm run bench:stages

Measures where the time of one event goes within the two processes, without the kernel: nanoseconds of each stage, each in
a loop of its own, as medians of rounds that take turns.

  --help   print this help`

const TYPE = 'bench.sample'
const BYTES = 100
const ROUNDS = 41

/** About as many as a slab holds: they leave in one write and arrive in one read. */
const EVENTS = 400

type Work = () => void

/** Work of the sender, then of the receiver, where each stage contains those before it. */
const STAGES = ['encode', 'cut', 'decode', 'deliver'] as const

type Stages<Value> = Readonly<Record<(typeof STAGES)[number], Value>>

function stagesOf(name: PayloadName): Stages<Work> {
  const kind = payloadKind(name, BYTES)
  const encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes)
  // So that all objects are records.
  for (let sequence = 0; sequence < EVENTS; sequence++) encoder.event(TYPE, kind.make(sequence, 0, 0), undefined, [])
  const chunk = Buffer.concat(
    Array.from({ length: EVENTS }, (_, sequence) => {
      const { bytes, start, end } = encoder.event(TYPE, kind.make(sequence, 0, 0), undefined, [])
      return Buffer.from(bytes.subarray(start, end))
    }),
  )
  const { shapes } = encoder
  const payload = kind.make(EVENTS, 0, 0)
  return {
    encode: () => {
      encoder.releaseSlabs()
      for (let event = 0; event < EVENTS; event++) encoder.event(TYPE, payload, undefined, [])
    },
    cut: reading(chunk, shapes, () => {}),
    decode: reading(chunk, shapes, (decoder, bytes, end) => decoder.payload(bytes, end)),
    deliver: delivering(chunk, shapes),
  }
}

function reading(
  chunk: Buffer,
  shapes: readonly ShapeKeys[],
  read: (decoder: EventDecoder, bytes: Buffer, end: number) => void,
): Work {
  const decoder = new EventDecoder()
  for (const keys of shapes) decoder.shapes.add(keys)
  const reader = new FrameReader(DEFAULT_LIMITS.frameBytes, (bytes, start, end) => {
    if (decoder.readPreamble(bytes, start, end)) read(decoder, bytes, end)
  })
  return () => {
    reader.push(chunk)
    decoder.forget()
  }
}

function delivering(chunk: Buffer, shapes: readonly ShapeKeys[]): Work {
  const receiveWindow = new ReceiveWindow(DEFAULT_LIMITS.windowBytes, systemClock, () => {})
  const subscriptions = new Subscriptions({
    announcer: { announce: () => {}, acknowledged: () => Promise.resolve([]) },
    report: (error) => {
      throw error
    },
    idle: () => {},
    closeCalls: () => 0,
    turn: new TurnBudget(systemClock, SLAB_BYTES),
    clock: systemClock,
    counts: eventCounts(),
    inboxes: new MemberInboxes({
      clock: systemClock,
      hasOthers: () => false,
      isShared: () => false,
      admits: () => true,
      report: () => {},
      idle: () => {},
    }),
  })
  let handled = 0
  subscriptions.add(subscribeSettings(TYPE, () => handled++, {}))
  const identity = { name: 'sender', id: 'sender', groups: [] }
  const inbound = new Inbound(DEFAULT_LIMITS.frameBytes, true, receiveWindow, {
    event: (type, payload, headers) =>
      subscriptions.deliver({ type, payload, origin: identity.name, headers }, { identity, receiveWindow }),
    message: ({ kind }) => {
      throw new Error(`expected events, got ${kind}`)
    },
  })
  for (const keys of shapes) {
    const { bytes, start, end } = encodeMessage({ kind: 'shape', keys })
    inbound.push(bytes.subarray(start, end))
  }
  return () => inbound.push(chunk)
}

/** Medians of nanoseconds per event, after as many rounds of warm-up. */
function measure(stages: Stages<Work>): Stages<number> {
  const times: Stages<number[]> = { encode: [], cut: [], decode: [], deliver: [] }
  for (let round = 0; round < 2 * ROUNDS; round++) {
    for (const stage of STAGES) times[stage].push(timeOf(stages[stage]))
  }
  const of = (stage: keyof typeof times) => median(times[stage].slice(ROUNDS))
  return { encode: of('encode'), cut: of('cut'), decode: of('decode'), deliver: of('deliver') }
}

function timeOf(work: Work): number {
  const repeats = 25
  const startedAt = process.hrtime.bigint()
  for (let repeat = 0; repeat < repeats; repeat++) work()
  return Number(process.hrtime.bigint() - startedAt) / repeats / EVENTS
}

async function measureAwait(): Promise<number> {
  const settled = Promise.resolve(1)
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = process.hrtime.bigint()
    for (let event = 0; event < 10_000; event++) await settled
    times.push(Number(process.hrtime.bigint() - startedAt) / 10_000)
  }
  return median(times)
}

function parse(args: string[]) {
  return parseArgs({ args, options: { help: { type: 'boolean', default: false } } }).values
}

runProgram(USAGE, parse, async () => {
  const columns = PAYLOADS.map((payload) => measure(stagesOf(payload)))
  const awaited = await measureAwait()
  const rowOf = (title: string, of: (column: Stages<number>) => number) => [
    title,
    ...columns.map((column) => of(column).toFixed(0)),
  ]
  const rows = [
    rowOf('sender: payload and preamble into a slab', ({ encode }) => encode),
    rowOf('receiver: frames out of a chunk, preamble', ({ cut }) => cut),
    rowOf('receiver: payload', ({ cut, decode }) => decode - cut),
    rowOf('receiver: window, subscription, handler', ({ decode, deliver }) => deliver - decode),
    rowOf('sender: await of what need not wait', () => awaited),
  ]
  console.log(tableOf(['ns an event', ...PAYLOADS], rows))
  return 0
})
