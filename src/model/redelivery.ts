import { invalid } from './errors'
import { checkTypeName } from './pattern'

/** What becomes of an event of a queue whose member dies while it handles it, or fails. */
export interface Redelivery {
  /** How many times it is given to a member again. */
  readonly times: number
  /** Whether also after a handler that threw. */
  readonly onError: boolean
  /** Milliseconds until it is given again. */
  readonly delay: number
  /** The type under which it is broadcast after the last time. */
  readonly deadLetter: string | undefined
}

/** The options of `defineEvent` for queues. They hold for members without `prefetch: Infinity`. */
export interface RedeliveryOptions {
  /**
   * How many times an event is given again, maybe to the same member, after one has died while it handled it, 0 to 1,000. At
   * least once, so handlers must expect it more than once: `event.redelivered` counts. Default 0: it is in
   * `lost.unfinishedEvents`.
   */
  readonly redeliver?: number | undefined
  /** Whether it is also given again after a handler threw or rejected. Default false. */
  readonly redeliverOnError?: boolean | undefined
  /** Milliseconds until it is given again, 0 to 2,147,483,647. Default 0. */
  readonly redeliverDelay?: number | undefined
  /** The name of a type under which its payload is broadcast after the last time. Default: none, it is `unfinished`. */
  readonly deadLetter?: string | undefined
}

const NAMES = [
  'redeliver',
  'redeliverOnError',
  'redeliverDelay',
  'deadLetter',
] as const satisfies (keyof RedeliveryOptions)[]

type Unchecked = { readonly [Name in (typeof NAMES)[number]]?: unknown }

const MOST_TIMES = 1000
const LONGEST_DELAY = 2 ** 31 - 1

/** @throws InvalidArgument */
export function redeliveryOf(type: string, options: Unchecked): Redelivery | undefined {
  if (NAMES.every((name) => options[name] === undefined)) return undefined
  const { redeliver, redeliverOnError: onError = false, redeliverDelay, deadLetter } = options
  const subject = (name: (typeof NAMES)[number]) => `${name} of ${type}`
  const times = wholeNumber(subject('redeliver'), redeliver, MOST_TIMES)
  const delay = wholeNumber(subject('redeliverDelay'), redeliverDelay, LONGEST_DELAY)
  if (typeof onError !== 'boolean') throw invalid(subject('redeliverOnError'), 'true or false', onError)
  return Object.freeze({ times, onError, delay, deadLetter: deadLetterOf(type, subject('deadLetter'), deadLetter) })
}

function wholeNumber(subject: string, value: unknown, most: number): number {
  if (value === undefined) return 0
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value
  throw invalid(subject, `a whole number from 0 to ${most}`, value)
}

function deadLetterOf(type: string, subject: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && checkTypeName(value) !== type) return value
  throw invalid(subject, 'the name of another type', value)
}
