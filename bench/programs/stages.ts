import Table from 'cli-table3'
import { Inbound } from '../../src/channel/inbound'
import { ReceiveWindow } from '../../src/channel/receive-window'
import { subscribeSettings } from '../../src/events/subscribe-options'
import { Subscriptions } from '../../src/events/subscriptions'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { systemClock } from '../../src/platform/clock'
import { EventDecoder } from '../../src/wire/event-decoder'
import { EventEncoder } from '../../src/wire/event-encoder'
import { FrameReader } from '../../src/wire/frame'
import { PAYLOADS, type PayloadName, payloadKind } from '../contenders/payload'
import { median } from '../measure/median'
import { runProgram } from './program'

const USAGE = `Usage: npm run bench:stages

Where the time of one event goes within the two processes, apart from the kernel: nanoseconds of each stage, each
measured in a loop of its own, medians of rounds that take turns.`

const TYPE = 'bench.sample'
const BYTES = 100
const ROUNDS = 41

/** As many as a slab holds: what leaves in one write and arrives in one read. */
const EVENTS = 400

type Work = () => void

/** Stages of the sender and of the receiver. Each of the latter contains those before it. */
interface Stages {
  readonly encode: Work
  readonly cut: Work
  readonly decode: Work
  readonly deliver: Work
}

async function main(): Promise<number> {
  const table = new Table({
    head: ['ns an event', ...PAYLOADS],
    colAligns: ['left', ...PAYLOADS.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  })
  const columns = PAYLOADS.map((payload) => measure(stagesOf(payload)))
  const rows: readonly (readonly [title: string, of: (column: Record<keyof Stages, number>) => number])[] = [
    ['sender: payload and header into a slab', ({ encode }) => encode],
    ['receiver: frames out of a chunk, header', ({ cut }) => cut],
    ['receiver: payload', ({ cut, decode }) => decode - cut],
    ['receiver: account, subscription, handler', ({ decode, deliver }) => deliver - decode],
  ]
  for (const [title, of] of rows) table.push([title, ...columns.map((column) => of(column).toFixed(0))])
  const awaited = (await measureAwait()).toFixed(0)
  table.push(['sender: await of what need not wait', ...PAYLOADS.map(() => awaited)])
  console.log(table.toString())
  return 0
}

function stagesOf(name: PayloadName): Stages {
  const kind = payloadKind(name, BYTES)
  const encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes)
  const chunk = Buffer.concat(
    Array.from({ length: EVENTS }, (_, sequence) => {
      const { bytes, start, end } = encoder.event(TYPE, kind.make(sequence, 0, 0))
      return Buffer.from(bytes.subarray(start, end))
    }),
  )
  const payload = kind.make(EVENTS, 0, 0)
  return {
    encode: () => {
      encoder.releaseSlabs()
      for (let event = 0; event < EVENTS; event++) encoder.event(TYPE, payload)
    },
    cut: reading(chunk, () => {}),
    decode: reading(chunk, (decoder, bytes, end) => decoder.payload(bytes, end)),
    deliver: delivering(chunk),
  }
}

function reading(chunk: Buffer, read: (decoder: EventDecoder, bytes: Buffer, end: number) => void): Work {
  const decoder = new EventDecoder()
  const reader = new FrameReader(DEFAULT_LIMITS.frameBytes, (bytes, start, end) => {
    if (decoder.readHeader(bytes, start, end)) read(decoder, bytes, end)
  })
  return () => {
    reader.push(chunk)
    decoder.forget()
  }
}

function delivering(chunk: Buffer): Work {
  const receiveWindow = new ReceiveWindow(DEFAULT_LIMITS.windowBytes, systemClock, () => {})
  const subscriptions = new Subscriptions({
    announcer: { announce: () => {}, known: () => Promise.resolve() },
    report: (error) => {
      throw error
    },
    idle: () => {},
  })
  let handled = 0
  subscriptions.add(subscribeSettings(TYPE, () => handled++, {}))
  const identity = { name: 'sender', groups: [] }
  const inbound = new Inbound(DEFAULT_LIMITS.frameBytes, true, receiveWindow, {
    event: (type, payload) =>
      subscriptions.deliver({ type, payload, origin: identity.name }, { identity, receiveWindow }),
    message: ({ kind }) => {
      throw new Error(`expected events, got ${kind}`)
    },
  })
  return () => inbound.push(chunk)
}

/** Medians of nanoseconds an event. */
function measure(stages: Stages): Record<keyof Stages, number> {
  const names = ['encode', 'cut', 'decode', 'deliver'] as const
  const times: Record<keyof Stages, number[]> = { encode: [], cut: [], decode: [], deliver: [] }
  for (let round = -ROUNDS; round < ROUNDS; round++) {
    for (const name of names) {
      const time = timeOf(stages[name])
      if (round >= 0) times[name].push(time)
    }
  }
  return {
    encode: median(times.encode),
    cut: median(times.cut),
    decode: median(times.decode),
    deliver: median(times.deliver),
  }
}

function timeOf(work: Work): number {
  const repeats = 25
  const began = process.hrtime.bigint()
  for (let repeat = 0; repeat < repeats; repeat++) work()
  return Number(process.hrtime.bigint() - began) / repeats / EVENTS
}

async function measureAwait(): Promise<number> {
  const settled = Promise.resolve(1)
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const began = process.hrtime.bigint()
    for (let event = 0; event < 10_000; event++) await settled
    times.push(Number(process.hrtime.bigint() - began) / 10_000)
  }
  return median(times)
}

runProgram(USAGE, main)
