import { describe, ProtocolViolation } from '../model/errors'
import { isName } from '../model/name'
import { isPatternName, isTypeName } from '../model/pattern'

/** Where a field may be left out. */
export function optional<Value>(value: unknown, what: string, parse: (value: unknown, what: string) => Value) {
  return value === undefined ? undefined : parse(value, what)
}

export function array(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(what, 'an array', value)
}

/** Bytes and dates are objects too, but no maps: of bytes every single one would become an entry. */
export function map(value: unknown, what: string): ReadonlyMap<string, unknown> {
  const isMap = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (isMap) return new Map(Object.entries(value))
  throw malformed(what, 'a map', value)
}

export function texts(value: unknown, what: string): string[] {
  return array(value, what).map((item) => text(item, `${what}[]`))
}

export function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw malformed(what, 'a string', value)
}

/** A string that can name an endpoint, a group or a queue. */
export function name(value: unknown, what: string): string {
  if (typeof value === 'string' && isName(value)) return value
  throw malformed(what, 'a name', value)
}

/** The name of a type of events or requests. */
export function typeName(value: unknown, what: string): string {
  if (typeof value === 'string' && isTypeName(value)) return value
  throw malformed(what, 'the name of a type', value)
}

/** The name of a type, or a pattern of such names. */
export function pattern(value: unknown, what: string): string {
  if (typeof value === 'string' && isPatternName(value)) return value
  throw malformed(what, 'the name of a type or a pattern', value)
}

export function patterns(value: unknown, what: string): string[] {
  return array(value, what).map((item) => pattern(item, `${what}[]`))
}

export function bytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw malformed(what, 'bytes', value)
}

export function flag(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw malformed(what, 'true or false', value)
}

export function count(value: unknown, what: string): number {
  const number = integer(value)
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw malformed(what, 'a whole number', value)
}

/** Encoders that write every integer with 64 bits are decoded to bigints. */
export function integer(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function malformed(what: string, expected: string, value: unknown): ProtocolViolation {
  return new ProtocolViolation('malformed', `${what}: expected ${expected}, got ${describe(value)}`)
}
