import { parseArgs } from 'node:util'
import type { Contender } from '../contenders/contender'
import { MODES, type Mode } from '../contenders/mode'
import { PAYLOADS, type PayloadName, STAMP_BYTES } from '../contenders/payload'
import { contenderOf, roster } from '../contenders/registry'
import type { Work } from '../measure/round'
import { oneOf, parsed, UsageError, wholeNumber } from './arguments'

/** What to measure, and how to tell it. */
export interface Plan {
  readonly work: Work
  readonly rounds: number
  readonly json: boolean
}

/** Of a warm-up that nobody has asked for. */
const MOST_WARM_UP = 500_000

export const USAGE = `Usage: npm run bench -- [options]

What the bus can do on this machine: real processes over real sockets, and every event is checked to arrive once and in
order.

  --mode MODE          broadcast: one process sends, the others receive (default)
                       latency: the same at 1000 events a second, the time of each event taken
                       request: one process asks, the others respond
                       mesh: every process sends to all others
  --processes N        processes that receive, or respond, or, in a mesh, all (default 4)
  --events N           events, or requests, of each process that sends (default 200000; latency 5000; request 20000)
  --warm-up N          events, or requests, that go before them, until the programs run at full speed, and are checked but
                       not measured (default without a throttle as many, ${MOST_WARM_UP} at most; else, and in a mesh, 0)
  --payload KIND       binary, object (ten fields, as JSON would count their bytes) or text (default binary)
  --payload-bytes N    size of each payload, ${STAMP_BYTES} at least; an object has no less than its fields (default 100)
  --throttle N         events a second of each sender, 0 for as many as can be (default 0; latency 1000);
                       what a sender that is held up has missed, it does not catch up with
  --concurrency N      requests under way at a time (default 1)
  --rounds N           measure so often, with fresh processes, and report medians (default 1)
  --contender NAME     what carries the events: ${roster.map(({ name }) => name).join(', ')} (default lahja)
  --json               print one JSON object instead of the table
  --help               print this

Exit code: 0 if every event arrived once and in order, 1 if not, 2 for wrong arguments.`

/** The modes in which one process sends or asks, so that all others notice where its warm-up ends. */
const WITH_WARM_UP: readonly Mode[] = ['broadcast', 'latency', 'request']

const DEFAULTS: Readonly<Record<Mode, { events: string; throttle: string }>> = {
  broadcast: { events: '200000', throttle: '0' },
  latency: { events: '5000', throttle: '1000' },
  request: { events: '20000', throttle: '0' },
  mesh: { events: '50000', throttle: '0' },
}

/** The time of every event is taken where there is time for it, and of one in so many where there is none. */
export const TIMED_EVERY: Readonly<Record<Mode, number>> = { broadcast: 32, latency: 1, request: 1, mesh: 32 }

/**
 * @returns undefined if it is help that is wanted
 * @throws UsageError
 */
export function planOf(args: readonly string[]): Plan | undefined {
  const values = parse(args)
  if (values.help) return undefined
  const mode = oneOf('mode', values.mode, MODES)
  const payload = oneOf('payload', values.payload, PAYLOADS)
  const contender = parseContender(values.contender)
  checkAbility(contender, mode, payload)
  const events = wholeNumber('events', values.events ?? DEFAULTS[mode].events, 1, 100_000_000)
  const throttle = wholeNumber('throttle', values.throttle ?? DEFAULTS[mode].throttle, 0, 10_000_000)
  return {
    work: {
      contender: contender.name,
      mode,
      payload,
      processes: wholeNumber('processes', values.processes, mode === 'mesh' ? 2 : 1, 256),
      events,
      warmUp: parseWarmUp(values['warm-up'], mode, throttle === 0 ? events : 0),
      payloadBytes: wholeNumber('payload-bytes', values['payload-bytes'], STAMP_BYTES, 1_000_000),
      throttle,
      concurrency: wholeNumber('concurrency', values.concurrency, 1, 1_000_000),
      isPatient: true,
      timedEvery: TIMED_EVERY[mode],
    },
    rounds: wholeNumber('rounds', values.rounds, 1, 1000),
    json: values.json,
  }
}

function parse(args: readonly string[]) {
  const options = {
    mode: { type: 'string', default: 'broadcast' },
    processes: { type: 'string', default: '4' },
    events: { type: 'string' },
    'warm-up': { type: 'string' },
    payload: { type: 'string', default: 'binary' },
    'payload-bytes': { type: 'string', default: '100' },
    throttle: { type: 'string' },
    concurrency: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    contender: { type: 'string', default: 'lahja' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  return parsed(() => parseArgs({ args: [...args], options }).values)
}

function parseContender(name: string): Contender {
  try {
    return contenderOf(name)
  } catch (error) {
    throw new UsageError(`--contender: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function parseWarmUp(value: string | undefined, mode: Mode, otherwise: number): number {
  const most = WITH_WARM_UP.includes(mode) ? 100_000_000 : 0
  if (value === undefined) return Math.min(otherwise, MOST_WARM_UP, most)
  return wholeNumber('warm-up', value, 0, most)
}

/** Not everything can carry everything. */
function checkAbility({ name, modes, payloads, missing }: Contender, mode: Mode, payload: PayloadName): void {
  if (!modes.includes(mode)) throw new UsageError(`--mode: ${name} has ${modes.join(', ')}, got '${mode}'`)
  const commands = missing?.() ?? []
  if (commands.length > 0) throw new UsageError(`--contender: ${name} is not installed: ${commands.join(' && ')}`)
  if (!payloads.includes(payload))
    throw new UsageError(`--payload: ${name} has ${payloads.join(', ')}, got '${payload}'`)
}
