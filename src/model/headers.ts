import { describe, InvalidArgument, invalid } from './errors'
import type { EventHeaders } from './event'
import { textOf } from './thrown'

/** Of all events and requests without headers. */
export const NO_HEADERS: EventHeaders = Object.freeze({})

/** The most bytes of UTF-8 of all names and values together. */
const MAX_HEADERS_BYTES = 4096

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/**
 * A copy of the headers that a call was given.
 *
 * @throws InvalidArgument
 */
export function headersOf(value: unknown): EventHeaders {
  if (value === undefined) return NO_HEADERS
  const fields = fieldsOf(value)
  if (!fields) throw invalid('headers', 'an object of strings', value)
  const headers = headersIn(fields)
  if (typeof headers === 'string') throw new InvalidArgument(`headers: ${headers}`)
  return headers
}

/** The headers of these names and values, frozen; or, as a string, why they can't be any. */
export function headersIn(fields: Iterable<readonly [name: string, value: unknown]>): EventHeaders | string {
  const headers: [string, string][] = []
  let bytes = 0
  for (const [name, value] of fields) {
    if (!NAME.test(name))
      return `expected names of 1 to 64 of a-z 0-9 . _ -, beginning with a letter or a digit, got ${describe(name)}`
    if (typeof value !== 'string') return `expected a string as ${name}, got ${describe(value)}`
    bytes += name.length + Buffer.byteLength(value)
    headers.push([name, value])
  }
  if (bytes > MAX_HEADERS_BYTES) return `expected at most ${MAX_HEADERS_BYTES} bytes together, got ${bytes}`
  return headers.length === 0 ? NO_HEADERS : Object.freeze(Object.fromEntries(headers))
}

/** Undefined for what is no plain object. @throws InvalidArgument where a getter or a proxy throws */
function fieldsOf(value: unknown): [string, unknown][] | undefined {
  try {
    return isPlain(value) ? Object.entries(value) : undefined
  } catch (cause) {
    throw new InvalidArgument(`headers: can't be read: ${textOf(() => String(cause))}`, { cause })
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
