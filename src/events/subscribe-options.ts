import { type Audience, type AudienceList, checkAudience, copyAudience } from '../model/audience'
import { checkOptions, type OptionNames } from '../model/call-options'
import { type EventType, patternOf, schemaOf } from '../model/definition'
import { InvalidArgument, invalid } from '../model/errors'
import type { Handler } from '../model/event'
import type { Interest } from '../model/interest'
import { MAX_IN_HAND } from '../model/limits'
import { checkName } from '../model/name'
import type { StandardSchema } from '../model/schema'
import type { WaitOptions } from '../platform/waits'
import { Prefetch } from '../queues/prefetch'
import type { Consumption, EventBuffer } from './consumer'

export interface SubscribeOptions {
  /**
   * Only events from these endpoints: a name, an array of names, or `{ group }`, at most 2,048 bytes. Others are not sent
   * at all. Default: every endpoint.
   */
  readonly from?: Audience | undefined
  /**
   * A work queue, named like an endpoint: each event goes to one of the queue's subscriptions on the whole bus, the first that
   * has room for it. Default: none, and the subscription gets every event.
   */
  readonly queue?: string | undefined
  /** Maximum number of events handled concurrently, 1 to `Infinity`. Handlers start in order. Default 1. */
  readonly concurrency?: number | undefined
  /**
   * With `queue`: how many events each sender gives this subscription ahead of those that it handles, 0 to 65,535. All others
   * wait at their senders, for whichever member has room first. Default `'auto'`: as many as it handles in 10 ms, 2,000 at most,
   * of all senders together. `Infinity`: each event goes to a member when it is broadcast, and waits there.
   */
  readonly prefetch?: number | 'auto' | undefined
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined
}

export interface WaitForOptions extends WaitOptions {
  /** Only an event from these endpoints: a name, an array of names, or `{ group }`. Default: every endpoint. */
  readonly from?: Audience | undefined
}

const OPTIONS: OptionNames<SubscribeOptions> = {
  from: true,
  queue: true,
  concurrency: true,
  prefetch: true,
  signal: true,
}

/** Maximum bytes of all names in `from`, so that they fit into a frame of any peer. */
const FROM_BYTES = 2048

/** The options of a subscription, checked and completed. */
export interface SubscribeSettings {
  readonly interest: Interest
  readonly consumption: Consumption
  readonly schema: StandardSchema | undefined
  /** Ends the subscription. */
  readonly signal: AbortSignal | undefined
}

/** @throws InvalidArgument */
export function subscribeSettings(
  type: EventType,
  handle: Handler<unknown>,
  options: SubscribeOptions,
): SubscribeSettings {
  checkOptions('subscribe', options, OPTIONS)
  const { queue, concurrency = 1, prefetch = 'auto', signal } = options
  const from = originsOf(options.from)
  if (queue !== undefined) checkName('queue', queue)
  checkCount('concurrency', concurrency)
  if (queue === undefined && options.prefetch !== undefined)
    throw new InvalidArgument('prefetch: expected it only together with queue; name the queue')
  const capacity = queue === undefined ? undefined : capacityOf(prefetch, concurrency)
  const interest = { type: patternOf(type), from, queue, ...(capacity !== undefined && { capacity }) }
  const isAdaptive = queue !== undefined && prefetch === 'auto'
  const consumption = { kind: 'handler', handle, concurrency, ...(isAdaptive && { isAdaptive }) } as const
  return { interest, consumption, schema: schemaOf(type), signal }
}

/**
 * How many events a member of a queue takes of each sender at first; undefined if it doesn't say.
 *
 * @throws InvalidArgument
 */
function capacityOf(prefetch: number | 'auto', concurrency: number): number | undefined {
  if (prefetch === Number.POSITIVE_INFINITY) return undefined
  if (prefetch === 'auto') return Math.min(concurrency + Prefetch.first, MAX_IN_HAND)
  if (!Number.isInteger(prefetch) || prefetch < 0 || prefetch >= MAX_IN_HAND)
    throw invalid('prefetch', `a whole number from 0 to ${MAX_IN_HAND - 1}, 'auto' or Infinity`, prefetch)
  return Math.min(concurrency + prefetch, MAX_IN_HAND)
}

/** @throws InvalidArgument */
export function streamSettings(type: EventType, from: Audience | undefined, buffer: EventBuffer): SubscribeSettings {
  const interest = { type: patternOf(type), from: originsOf(from) }
  return { interest, consumption: { kind: 'buffer', buffer }, schema: schemaOf(type), signal: undefined }
}

/** @throws InvalidArgument */
export function checkHandler(handler: unknown): void {
  if (typeof handler === 'function') return
  throw invalid('handler', 'a function', handler)
}

/** @throws InvalidArgument unless it is a whole number from 1 up, or Infinity */
export function checkCount(option: string, value: number): void {
  if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value > 0)) return
  throw invalid(option, 'a whole number from 1 up, or Infinity', value)
}

/** A copy of the option `from`. @throws InvalidArgument */
function originsOf(from: Audience | undefined): AudienceList | undefined {
  if (from === undefined) return undefined
  checkAudience('from', from)
  const bytes = Buffer.byteLength(JSON.stringify(from))
  if (bytes <= FROM_BYTES) return copyAudience(from)
  throw new InvalidArgument(`from: expected at most ${FROM_BYTES} bytes of names, got ${bytes}; use a group instead`)
}
