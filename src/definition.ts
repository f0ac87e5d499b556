import { describe, InvalidArgument } from './errors'

declare const payloadType: unique symbol

/** A named event type whose payload type travels with it, from `broadcast` to every way of consuming. */
export interface EventDefinition<Payload> {
  readonly name: string
  /** Only in the types: what makes two definitions of different payloads different. */
  readonly [payloadType]?: Payload
}

/** What events are broadcast and subscribed as: a definition, or a plain string whose payload is `unknown`. */
export type EventType<Payload = unknown> = EventDefinition<Payload> | string

export type PayloadOf<Type extends EventType> = Type extends EventDefinition<infer Payload> ? Payload : unknown

/** One or more tokens of visible characters, joined by dots; `*` and `>` are kept for patterns. */
const TYPE_NAME = /^[^\s.*>\p{Cc}\p{Cs}]+(\.[^\s.*>\p{Cc}\p{Cs}]+)*$/u

/** Bytes of UTF-8 that the name of a type may have. */
export const MAX_TYPE_BYTES = 255

/**
 * Defines an event type, once, where all its senders and receivers can import it.
 *
 * @throws InvalidArgument if the name isn't dotted tokens without white space, `*` or `>`, or is over 255 bytes
 */
export function defineEvent<Payload = void>(name: string): EventDefinition<Payload> {
  return Object.freeze({ name: checkTypeName(name) })
}

/** @throws InvalidArgument */
export function nameOf(type: EventType): string {
  if (typeof type === 'string') return checkTypeName(type)
  if (typeof type === 'object' && type !== null) return checkTypeName(type.name)
  throw new InvalidArgument(`event type: expected a definition or a string, got ${describe(type)}`)
}

const checked = new Set<string>()

function checkTypeName(name: unknown): string {
  if (typeof name === 'string' && checked.has(name)) return name
  if (typeof name !== 'string' || !TYPE_NAME.test(name)) {
    throw new InvalidArgument(
      `event type: expected tokens joined by dots, without white space, '*' or '>', got ${describe(name)}`,
    )
  }
  const bytes = Buffer.byteLength(name)
  if (bytes > MAX_TYPE_BYTES) {
    throw new InvalidArgument(`event type: expected at most ${MAX_TYPE_BYTES} bytes, got ${bytes} (${describe(name)})`)
  }
  if (checked.size < 10_000) checked.add(name)
  return name
}
