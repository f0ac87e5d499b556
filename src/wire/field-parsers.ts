import { isBytes } from '../model/bytes'
import { describe, ProtocolViolation } from '../model/errors'
import type { EventHeaders } from '../model/event'
import { headersIn } from '../model/headers'
import { isName } from '../model/name'
import { isTypeName, isTypeOrPattern } from '../model/pattern'

type Parse<Value> = (value: unknown, field: string) => Value

/** Parses a field that may be missing. */
export function parseOptional<Value>(value: unknown, field: string, parse: Parse<Value>): Value | undefined {
  return value === undefined ? undefined : parse(value, field)
}

/** Parses an array, each element in the same way. */
export function parseList<Item>(value: unknown, field: string, parse: Parse<Item>): Item[] {
  return parseArray(value, field).map((item) => parse(item, `${field}[]`))
}

export function parseArray(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(field, 'an array', value)
}

/** Bytes and dates are objects too, but not maps: each byte would become an entry. */
export function parseMap(value: unknown, field: string): ReadonlyMap<string, unknown> {
  const isMap = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (isMap) return new Map(Object.entries(value))
  throw malformed(field, 'a map', value)
}

export function parseString(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  throw malformed(field, 'a string', value)
}

/** The name of an endpoint, a group or a queue. */
export function parseName(value: unknown, field: string): string {
  if (typeof value === 'string' && isName(value)) return value
  throw malformed(field, 'a name', value)
}

/** The name of an event or request type. */
export function parseTypeName(value: unknown, field: string): string {
  if (typeof value === 'string' && isTypeName(value)) return value
  throw malformed(field, 'the name of a type', value)
}

/** A type name or a pattern. */
export function parsePattern(value: unknown, field: string): string {
  if (typeof value === 'string' && isTypeOrPattern(value)) return value
  throw malformed(field, 'the name of a type or a pattern', value)
}

/** Those of an event or a request; the shared empty ones if there are none. */
export function parseHeaders(value: unknown, field: string): EventHeaders {
  const headers = headersIn(parseMap(value, field))
  if (typeof headers === 'string') throw new ProtocolViolation('malformed', `${field}: ${headers}`)
  return headers
}

export function parseBytes(value: unknown, field: string): Uint8Array {
  if (isBytes(value)) return value
  throw malformed(field, 'bytes', value)
}

export function parseBoolean(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value
  throw malformed(field, 'true or false', value)
}

export function parseCount(value: unknown, field: string): number {
  const number = asNumber(value)
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw malformed(field, 'a whole number', value)
}

/** 64-bit integers are decoded to bigints; some encoders write every integer that way. */
export function asNumber(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function malformed(field: string, expected: string, value: unknown): ProtocolViolation {
  return new ProtocolViolation('malformed', `${field}: expected ${expected}, got ${describe(value)}`)
}
