import { inspect, types } from 'node:util'

const ONE_LINE = { breakLength: Number.POSITIVE_INFINITY, depth: 1 }

/** An `Error`, of any realm, as it is; anything else as the `cause` of a new one, with its name, message and code if it has them. */
export function asError(thrown: unknown): Error {
  if (isError(thrown)) return thrown
  const error = new Error(typeof thrown === 'string' ? thrown : stringIn(thrown, 'message') || shown(thrown), {
    cause: thrown,
  })
  for (const key of ['name', 'code']) {
    const value = stringIn(thrown, key)
    if (value) Object.defineProperty(error, key, { value, configurable: true, writable: true })
  }
  return error
}

/** A property of an object that is a string, or '' if there is none. */
function stringIn(value: unknown, key: string): string {
  if (typeof value !== 'object' || value === null) return ''
  return textOf(() => {
    const found: unknown = Reflect.get(value, key)
    return typeof found === 'string' ? found : ''
  })
}

/** A value on one line; it may have a way of its own to be shown, which throws. */
function shown(value: unknown): string {
  return shorten(textOf(() => inspect(value, ONE_LINE)) || 'a value that cannot be shown')
}

/** The message of an error; what handlers throw may have one that is no text, or a getter that throws. */
export function messageOf(error: Error): string {
  return textOf(() => error.message)
}

/** A value as text, or '' if it can't be had. */
export function textOf(read: () => unknown): string {
  try {
    return String(read())
  } catch {
    return ''
  }
}

/** Is it an error, of any realm? One with a revoked proxy among its prototypes is none, as `instanceof` would throw. */
export function isError(value: unknown): value is Error {
  try {
    // The first look is for objects that inherit from an error. It must not reach a proxy, which decides what it is.
    return !types.isProxy(value) && (value instanceof Error || types.isNativeError(value))
  } catch {
    return false
  }
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** The `code` of an error of the operating system, such as `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return isError(error) && 'code' in error ? error.code : undefined
}
