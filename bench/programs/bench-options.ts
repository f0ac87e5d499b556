import { parseArgs } from 'node:util'
import { MODES, type Mode } from '../contenders/contender'
import { PAYLOADS, STAMP_BYTES } from '../contenders/payload'
import { contenderNames, contenderOf } from '../contenders/registry'
import { SHAPE_NAMES } from '../contenders/shape'
import { type Work, workOf } from '../workers/job'
import { oneOf, UsageError, wholeNumber } from './program'

/** Events of the default warm-up, at most. */
const MOST_WARM_UP = 500_000

export const USAGE = `Usage: npm run bench -- [options]

Measures lahja on this machine: real processes over real sockets. Every event is checked to arrive once and in order.

  --mode MODE          broadcast: one process sends, the others receive (default)
                       latency: the same at 1000 events per second, with the latency of every event
                       request: one process sends requests, the others respond
                       mesh: every process sends to all others
                       queue: one process sends, the others share the events
  --processes N        number of receivers or responders; in a mesh, of all processes (default 4)
  --events N           events, or requests, per sender (default 200000; latency 5000; request 20000; mesh 50000)
  --warm-up N          events, or requests, sent first until the code is compiled; they are checked, not measured
                       (default: the number of events, at most ${MOST_WARM_UP}; 0 with a throttle or in a mesh)
  --payload KIND       binary, object (ten fields), text, unicode, or a shape with a size of its own (default binary):
                       ${SHAPE_NAMES.join(', ')}
  --payload-bytes N    size of each payload, that of an object in JSON, that of a text in characters; at least ${STAMP_BYTES}
                       (default 100)
  --throttle N         events per second of each sender, 0 for no limit (default 0; latency 1000); a sender that falls
                       behind does not catch up
  --concurrency N      requests in flight (default 1)
  --rounds N           number of rounds, each with new processes; the results are medians (default 1)
  --contender NAME     what carries the events: ${contenderNames.join(', ')} (default lahja)
  --json               print one JSON object instead of the table
  --help               print this help

Exit code: 0 if every event arrived once and in order, 1 if not, 2 for invalid arguments.`

const DEFAULTS: Readonly<Record<Mode, { readonly events: string; readonly throttle: string }>> = {
  broadcast: { events: '200000', throttle: '0' },
  latency: { events: '5000', throttle: '1000' },
  request: { events: '20000', throttle: '0' },
  mesh: { events: '50000', throttle: '0' },
  queue: { events: '200000', throttle: '0' },
}

export function parse(args: string[]) {
  return parseArgs({
    args,
    options: {
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
    },
  }).values
}

/** @throws UsageError */
export function workIn(values: ReturnType<typeof parse>): Work {
  const mode = oneOf('mode', values.mode, MODES)
  const payload = oneOf('payload', values.payload, PAYLOADS)
  const contender = oneOf('contender', values.contender, contenderNames)
  checkAbility({ contender, mode, payload })
  const events = wholeNumber('events', values.events ?? DEFAULTS[mode].events, 1, 100_000_000)
  const throttle = wholeNumber('throttle', values.throttle ?? DEFAULTS[mode].throttle, 0, 10_000_000)
  // Receivers cannot tell where the warm-up of several senders ends.
  const mostWarmUp = mode === 'mesh' ? 0 : 100_000_000
  const warmUp = Math.min(throttle === 0 ? events : 0, MOST_WARM_UP, mostWarmUp)
  return workOf({
    contender,
    mode,
    payload,
    processes: wholeNumber('processes', values.processes, mode === 'mesh' ? 2 : 1, 256),
    events,
    warmUp: wholeNumber('warm-up', values['warm-up'] ?? String(warmUp), 0, mostWarmUp),
    payloadBytes: wholeNumber('payload-bytes', values['payload-bytes'], STAMP_BYTES, 1_000_000),
    throttle,
    concurrency: wholeNumber('concurrency', values.concurrency, 1, 1_000_000),
  })
}

/** Some contenders lack modes or payloads, or are not installed. */
function checkAbility({ contender, mode, payload }: Pick<Work, 'contender' | 'mode' | 'payload'>): void {
  const { name, modes, payloads, missing } = contenderOf(contender)
  if (!modes.includes(mode)) throw new UsageError(`--mode: ${name} has ${modes.join(', ')}, got '${mode}'`)
  const commands = missing?.() ?? []
  if (commands.length > 0) throw new UsageError(`--contender: ${name} is not installed: ${commands.join(' && ')}`)
  if (!payloads.includes(payload)) {
    throw new UsageError(`--payload: ${name} has ${payloads.join(', ')}, got '${payload}'`)
  }
}
