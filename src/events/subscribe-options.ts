import { type Audience, checkAudience } from '../model/audience'
import { type EventType, patternOf, schemaOf } from '../model/definition'
import { describe, InvalidArgument } from '../model/errors'
import type { Handler } from '../model/event'
import type { Interest } from '../model/interest'
import { isName } from '../model/name'
import type { StandardSchema } from '../model/schema'
import type { WaitOptions } from '../platform/waits'
import type { Consumer } from './subscription'

export interface SubscribeOptions {
  /** Only events from these: a name, an array of names, or `{ group }`. The others are not even sent. */
  readonly from?: Audience | undefined
  /**
   * Shares the events with all other subscriptions of this queue, anywhere on the bus: each event goes to one of them,
   * to the one that has the least in hand. Named like an endpoint. Default: gets every event itself.
   */
  readonly queue?: string | undefined
  /** How many events the handler may have under way at a time; they begin in order. Default 1. */
  readonly concurrency?: number | undefined
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined
}

export interface WaitForOptions extends WaitOptions {
  /** Only an event from these: a name, an array of names, or `{ group }`. */
  readonly from?: Audience | undefined
}

/** Bytes of names in `from`, so that every peer's frames have room for it. */
const FROM_BYTES = 2048

/** How one subscription wants its events. */
export interface SubscribeSettings {
  readonly interest: Interest
  readonly consumer: Consumer
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
  const interest = { type: patternOf(type), from: copyOf(from), queue }
  return { interest, consumer: { kind: 'handler', handle, concurrency }, schema: schemaOf(type), signal }
}

/** How a stream wants its events. @throws InvalidArgument */
export function streamSettings(type: EventType, from: Audience | undefined, keep: Keep): SubscribeSettings {
  if (from !== undefined) checkFrom(from)
  const interest = { type: patternOf(type), from: copyOf(from) }
  return { interest, consumer: { kind: 'keeper', keep }, schema: schemaOf(type), signal: undefined }
}

/** What takes an event to keep it until it is read. */
export type Keep = Extract<Consumer, { kind: 'keeper' }>['keep']

/** @throws InvalidArgument */
export function checkHandler(handler: unknown): void {
  if (typeof handler === 'function') return
  throw new InvalidArgument(`handler: expected a function, got ${describe(handler)}`)
}

/** What the caller does to its own later changes nothing. */
function copyOf(from: Audience | undefined): Audience | undefined {
  if (from === undefined) return undefined
  if (typeof from === 'string') return [from]
  return 'group' in from ? { group: from.group } : [...from]
}

function checkFrom(from: Audience): void {
  checkAudience('from', from)
  const bytes = Buffer.byteLength(JSON.stringify(from))
  if (bytes > FROM_BYTES) {
    throw new InvalidArgument(
      `from: expected at most ${FROM_BYTES} bytes of names, got ${bytes}; a group says it shorter`,
    )
  }
}
