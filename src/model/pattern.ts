import { describe, InvalidArgument, invalid } from './errors'
import { checkAskable, checkUnreserved } from './reserved'

/**
 * Tokens of visible characters, joined by dots; `*` and `>` are reserved for patterns. U+FFFD is what invalid UTF-8 is
 * read as, which would make one name of many.
 */
const TYPE_NAME = /^[^\s.*>\p{Cc}\p{Cs}\ufffd]+(\.[^\s.*>\p{Cc}\p{Cs}\ufffd]+)*$/u

/** The same, where any token may be `*` and the last one may be `>`. */
const PATTERN = /^(([^\s.*>\p{Cc}\p{Cs}\ufffd]+|\*)\.)*([^\s.*>\p{Cc}\p{Cs}\ufffd]+|[*>])$/u

/** The largest size of a type name or pattern, in bytes of UTF-8. */
export const MAX_TYPE_BYTES = 255

const MAX_VALID_NAMES = 10_000

/** A cache: names that have passed the check. */
const validNames = new Set<string>()

/** @throws InvalidArgument unless it is dotted tokens without white space, `*` and `>`, at most 255 bytes together, and not reserved */
export function checkTypeName(name: unknown): string {
  if (typeof name === 'string' && validNames.has(name)) return name
  const checked = checkTokens(name)
  checkUnreserved(checked)
  if (validNames.size < MAX_VALID_NAMES) validNames.add(checked)
  return checked
}

/** @throws InvalidArgument unless it is a type name that endpoints answer themselves */
export function checkReservedName(name: string): string {
  checkAskable(checkTokens(name))
  return name
}

function checkTokens(name: unknown): string {
  if (typeof name !== 'string' || !TYPE_NAME.test(name)) {
    throw invalid('event type', "tokens joined by dots, without white space, '*' or '>'", name)
  }
  checkLength(name)
  return name
}

/** @throws InvalidArgument unless it is a type name or a pattern, of at most 255 bytes */
export function checkPattern(pattern: unknown): string {
  if (typeof pattern === 'string' && validNames.has(pattern)) return pattern
  if (typeof pattern !== 'string' || !PATTERN.test(pattern)) {
    throw invalid('event type', "tokens joined by dots, '*' for any one token, '>' at the end for the rest", pattern)
  }
  checkLength(pattern)
  checkUnreserved(pattern)
  return pattern
}

/** Is it a valid type name? */
export function isTypeName(name: string): boolean {
  return validNames.has(name) || (isShortEnough(name) && TYPE_NAME.test(name))
}

/** Is it a valid type name or pattern? */
export function isTypeOrPattern(pattern: string): boolean {
  return validNames.has(pattern) || (isShortEnough(pattern) && PATTERN.test(pattern))
}

/** Does the pattern match more than one type? */
export function hasWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.endsWith('>')
}

/** Does the pattern match the type? `*` matches any one token, `>` at the end one or more. */
export function matches(pattern: string, type: string): boolean {
  if (pattern === type) return true
  if (!hasWildcard(pattern)) return false
  const expected = pattern.split('.')
  const tokens = type.split('.')
  for (const [index, token] of expected.entries()) {
    if (token === '>') return tokens.length > index
    if (index >= tokens.length || (token !== '*' && token !== tokens[index])) return false
  }
  return expected.length === tokens.length
}

function isShortEnough(name: string): boolean {
  return name.length <= MAX_TYPE_BYTES && Buffer.byteLength(name) <= MAX_TYPE_BYTES
}

function checkLength(name: string): void {
  if (isShortEnough(name)) return
  const bytes = Buffer.byteLength(name)
  throw new InvalidArgument(`event type: expected at most ${MAX_TYPE_BYTES} bytes, got ${bytes} (${describe(name)})`)
}
