import { type Audience, checkAudience, copyAudience } from '../model/audience'
import { type EventType, patternOf, schemaOf } from '../model/definition'
import { describe, InvalidArgument } from '../model/errors'
import type { Handler } from '../model/event'
import type { Interest } from '../model/interest'
import { isName } from '../model/name'
import type { StandardSchema } from '../model/schema'
import type { WaitOptions } from '../platform/waits'
import type { Consumption, Keep } from './consumer'

export interface SubscribeOptions {
  /**
   * Only events from these endpoints: a name, an array of names, or `{ group }`. Others are not sent at all. Default:
   * every endpoint.
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
  checkHandler(handle)
  const { from, queue, concurrency = 1, signal } = options
  if (from !== undefined) checkFrom(from)
  if (queue !== undefined && !(typeof queue === 'string' && isName(queue))) {
    throw new InvalidArgument(`queue: expected a name of 1 to 64 of A-Z a-z 0-9 . _ -, got ${describe(queue)}`)
  }
  if (concurrency !== Number.POSITIVE_INFINITY && !(Number.isInteger(concurrency) && concurrency > 0)) {
    const expected = 'a whole number from 1 up, or Infinity'
    throw new InvalidArgument(`concurrency: expected ${expected}, got ${describe(concurrency)}`)
  }
  const interest = { type: patternOf(type), from: from === undefined ? undefined : copyAudience(from), queue }
  return { interest, consumption: { kind: 'handler', handle, concurrency }, schema: schemaOf(type), signal }
}

/** @throws InvalidArgument */
export function streamSettings(type: EventType, from: Audience | undefined, keep: Keep): SubscribeSettings {
  if (from !== undefined) checkFrom(from)
  const interest = { type: patternOf(type), from: from === undefined ? undefined : copyAudience(from) }
  return { interest, consumption: { kind: 'buffer', keep }, schema: schemaOf(type), signal: undefined }
}

/** @throws InvalidArgument */
export function checkHandler(handler: unknown): void {
  if (typeof handler === 'function') return
  throw new InvalidArgument(`handler: expected a function, got ${describe(handler)}`)
}

function checkFrom(from: Audience): void {
  checkAudience('from', from)
  const bytes = Buffer.byteLength(JSON.stringify(from))
  if (bytes > FROM_BYTES) {
    throw new InvalidArgument(`from: expected at most ${FROM_BYTES} bytes of names, got ${bytes}; use a group instead`)
  }
}
