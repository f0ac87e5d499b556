import { describe, ProtocolViolation } from '../model/errors'
import { isName } from '../model/name'
import { isTypeName, isTypeOrPattern } from '../model/pattern'

/** Where a field may be left out. */
export function parseOptional<Value>(value: unknown, what: string, parse: (value: unknown, what: string) => Value) {
  return value === undefined ? undefined : parse(value, what)
}

export function parseArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(what, 'an array', value)
}

/** Bytes and dates are objects too, but no maps: of bytes every single one would become an entry. */
export function parseMap(value: unknown, what: string): ReadonlyMap<string, unknown> {
  const isMap = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (isMap) return new Map(Object.entries(value))
  throw malformed(what, 'a map', value)
}

export function parseStrings(value: unknown, what: string): string[] {
  return parseArray(value, what).map((item) => parseString(item, `${what}[]`))
}

export function parseString(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw malformed(what, 'a string', value)
}

/** A string that can name an endpoint, a group or a queue. */
export function parseName(value: unknown, what: string): string {
  if (typeof value === 'string' && isName(value)) return value
  throw malformed(what, 'a name', value)
}

/** The name of a type of events or requests. */
export function parseTypeName(value: unknown, what: string): string {
  if (typeof value === 'string' && isTypeName(value)) return value
  throw malformed(what, 'the name of a type', value)
}

/** The name of a type, or a pattern of such names. */
export function parsePattern(value: unknown, what: string): string {
  if (typeof value === 'string' && isTypeOrPattern(value)) return value
  throw malformed(what, 'the name of a type or a pattern', value)
}

export function parsePatterns(value: unknown, what: string): string[] {
  return parseArray(value, what).map((item) => parsePattern(item, `${what}[]`))
}

export function parseBytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw malformed(what, 'bytes', value)
}

export function parseBoolean(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw malformed(what, 'true or false', value)
}

export function parseCount(value: unknown, what: string): number {
  const number = asNumber(value)
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw malformed(what, 'a whole number', value)
}

/** Encoders that write every integer with 64 bits are decoded to bigints. */
export function asNumber(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function malformed(what: string, expected: string, value: unknown): ProtocolViolation {
  return new ProtocolViolation('malformed', `${what}: expected ${expected}, got ${describe(value)}`)
}
