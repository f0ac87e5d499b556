import { describe, InvalidArgument } from './errors'

/** One or more tokens of visible characters, joined by dots; `*` and `>` are kept for patterns. */
const TYPE_NAME = /^[^\s.*>\p{Cc}\p{Cs}]+(\.[^\s.*>\p{Cc}\p{Cs}]+)*$/u

/** The same, where any token may be `*` and the last one `>`. */
const PATTERN = /^(([^\s.*>\p{Cc}\p{Cs}]+|\*)\.)*([^\s.*>\p{Cc}\p{Cs}]+|[*>])$/u

/** Bytes of UTF-8 that the name of a type, or a pattern, may have. */
export const MAX_TYPE_BYTES = 255

/** Names that have been found good are not looked at again; so many at most. */
const MAX_VALID_NAMES = 10_000

const validNames = new Set<string>()

/** @throws InvalidArgument if it isn't dotted tokens without white space, `*` or `>`, or is over 255 bytes */
export function checkTypeName(name: unknown): string {
  if (typeof name === 'string' && validNames.has(name)) return name
  if (typeof name !== 'string' || !TYPE_NAME.test(name)) {
    throw new InvalidArgument(
      `event type: expected tokens joined by dots, without white space, '*' or '>', got ${describe(name)}`,
    )
  }
  checkLength(name)
  if (validNames.size < MAX_VALID_NAMES) validNames.add(name)
  return name
}

/** @throws InvalidArgument if it is neither the name of a type nor a pattern, or is over 255 bytes */
export function checkPattern(pattern: unknown): string {
  if (typeof pattern === 'string' && validNames.has(pattern)) return pattern
  if (typeof pattern !== 'string' || !PATTERN.test(pattern)) {
    throw new InvalidArgument(
      `event type: expected tokens joined by dots, of which '*' stands for one and '>' at the end for the rest, got ${describe(pattern)}`,
    )
  }
  checkLength(pattern)
  return pattern
}

/** Could an endpoint have said this for the name of a type? */
export function isTypeName(name: string): boolean {
  return validNames.has(name) || (isShortEnough(name) && TYPE_NAME.test(name))
}

/** The same for the name of a type or a pattern. */
export function isTypeOrPattern(pattern: string): boolean {
  return validNames.has(pattern) || (isShortEnough(pattern) && PATTERN.test(pattern))
}

/** Does it stand for more than one type? */
export function hasWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.endsWith('>')
}

/** Is the type one of those that the pattern stands for? `*` is any one token, `>` at the end one or more. */
export function matches(pattern: string, type: string): boolean {
  if (pattern === type) return true
  if (!hasWildcard(pattern)) return false
  const wanted = pattern.split('.')
  const tokens = type.split('.')
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index
    if (index >= tokens.length || (token !== '*' && token !== tokens[index])) return false
  }
  return wanted.length === tokens.length
}

function isShortEnough(name: string): boolean {
  return name.length <= MAX_TYPE_BYTES && Buffer.byteLength(name) <= MAX_TYPE_BYTES
}

function checkLength(name: string): void {
  if (isShortEnough(name)) return
  const bytes = Buffer.byteLength(name)
  throw new InvalidArgument(`event type: expected at most ${MAX_TYPE_BYTES} bytes, got ${bytes} (${describe(name)})`)
}
