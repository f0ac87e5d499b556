import { type Audience, type AudienceList, checkAudience, copyAudience } from '../model/audience'
import { checkOptions, type OptionNames } from '../model/call-options'
import { type EventType, patternOf, schemaOf } from '../model/definition'
import { InvalidArgument, invalid } from '../model/errors'
import type { Handler } from '../model/event'
import type { Interest } from '../model/interest'
import { checkName } from '../model/name'
import type { StandardSchema } from '../model/schema'
import type { WaitOptions } from '../platform/waits'
import type { Consumption, EventBuffer } from './consumer'

export interface SubscribeOptions {
  /**
   * Only events from these endpoints: a name, an array of names, or `{ group }`, at most 2,048 bytes. Others are not sent
   * at all. Default: every endpoint.
   */
  readonly from?: Audience | undefined
  /**
   * A work queue, named like an endpoint: each event goes to one of the queue's subscriptions on the whole bus, the one
   * with the fewest events in flight. Default: none, and the subscription gets every event.
   */
  readonly queue?: string | undefined
  /** Maximum number of events handled concurrently, 1 to `Infinity`. Handlers start in order. Default 1. */
  readonly concurrency?: number | undefined
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined
}

export interface WaitForOptions extends WaitOptions {
  /** Only an event from these endpoints: a name, an array of names, or `{ group }`. Default: every endpoint. */
  readonly from?: Audience | undefined
}

const OPTIONS: OptionNames<SubscribeOptions> = { from: true, queue: true, concurrency: true, signal: true }

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
  const { queue, concurrency = 1, signal } = options
  const from = originsOf(options.from)
  if (queue !== undefined) checkName('queue', queue)
  checkCount('concurrency', concurrency)
  const interest = { type: patternOf(type), from, queue }
  return { interest, consumption: { kind: 'handler', handle, concurrency }, schema: schemaOf(type), signal }
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
