import { describe, InvalidArgument, invalid } from './errors'
import type { EventHeaders } from './event'
import { textOf } from './thrown'

/** Of all events and requests without headers. */
export const NO_HEADERS: EventHeaders = Object.freeze({})

/** The most bytes of UTF-8 of all names and values together. */
export const MAX_HEADERS_BYTES = 4096

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/**
 * A copy of the headers that a call was given.
 *
 * @throws InvalidArgument
 */
export function headersOf(value: unknown): EventHeaders {
  if (value === undefined) return NO_HEADERS
  const headers = copyOf(value)
  if (!headers) throw invalid('headers', 'an object of texts', value)
  const flaw = headersFlaw(headers)
  if (flaw !== undefined) throw new InvalidArgument(`headers: ${flaw}`)
  return Object.keys(headers).length === 0 ? NO_HEADERS : Object.freeze(headers)
}

/** What these can't be the headers for; undefined if they can. */
export function headersFlaw(headers: Readonly<Record<string, unknown>>): string | undefined {
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name)) return `expected names of 1 to 64 of a-z 0-9 . _ -, got ${describe(name)}`
    if (typeof value !== 'string') return `expected a text as ${name}, got ${describe(value)}`
    bytes += name.length + Buffer.byteLength(value)
  }
  return bytes > MAX_HEADERS_BYTES ? `expected at most ${MAX_HEADERS_BYTES} bytes together, got ${bytes}` : undefined
}

/** Undefined for what is no plain object. @throws InvalidArgument where a getter or a proxy throws */
function copyOf(value: unknown): Record<string, string> | undefined {
  try {
    return isPlain(value) ? Object.fromEntries(Object.entries(value)) : undefined
  } catch (cause) {
    throw new InvalidArgument(`headers: can't be read: ${textOf(() => String(cause))}`, { cause })
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
