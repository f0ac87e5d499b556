import { parseArgs } from 'node:util'
import { SAMPLE_HEADER } from './sample'

/** What to measure. */
export interface Plan {
  /** Consumers, each a process of its own; the sender is one more. */
  readonly processes: number
  readonly events: number
  readonly payloadBytes: number
  readonly rounds: number
  readonly json: boolean
}

export const USAGE = `Usage: npm run bench -- [options]

One process broadcasts, the others count: every event to everyone, over real sockets.

  --processes N       consumers, each a process of its own (default 4)
  --events N          events to broadcast (default 200000)
  --payload-bytes N   size of each payload, ${SAMPLE_HEADER} at least (default 100)
  --rounds N          measure so often, with fresh processes, and report medians (default 1)
  --json              print one JSON object instead of the table
  --help              print this

Exit code: 0 if every event arrived once and in order, 1 if not, 2 for wrong arguments.`

/** Arguments that make no plan; the message says which and why. */
export class UsageError extends Error {}

/**
 * @returns undefined if it is help that is wanted
 * @throws UsageError
 */
export function planOf(args: readonly string[]): Plan | undefined {
  const { help, json, ...sizes } = parse(args)
  if (help) return undefined
  return {
    processes: wholeNumber('processes', sizes.processes, 1, 256),
    events: wholeNumber('events', sizes.events, 1, 100_000_000),
    payloadBytes: wholeNumber('payload-bytes', sizes['payload-bytes'], SAMPLE_HEADER, 1_000_000),
    rounds: wholeNumber('rounds', sizes.rounds, 1, 1000),
    json,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        processes: { type: 'string', default: '4' },
        events: { type: 'string', default: '200000' },
        'payload-bytes': { type: 'string', default: '100' },
        rounds: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`--${name}: expected a whole number from ${least} to ${most}, got '${text}'`)
}
