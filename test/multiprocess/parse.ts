/** Turns what came from another process into a value of a known type, or throws. */
export type Parser<Value> = (value: unknown) => Value

/** In JSON what is undefined is left out, or null inside an array. */
export function nothing(value: unknown): void {
  if (value !== undefined && value !== null) throw unexpected('nothing', value)
}

export function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw unexpected('a string', value)
}

export function number(value: unknown): number {
  if (typeof value === 'number') return value
  throw unexpected('a number', value)
}

export function flag(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw unexpected('true or false', value)
}

export function fields(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value))
  throw unexpected('an object', value)
}

export function listOf<Value>(parse: Parser<Value>): Parser<Value[]> {
  return (value) => {
    if (Array.isArray(value)) return value.map((element) => parse(element))
    throw unexpected('an array', value)
  }
}

export function optional<Value>(parse: Parser<Value>): Parser<Value | undefined> {
  return (value) => (value === undefined ? undefined : parse(value))
}

function unexpected(expected: string, value: unknown): TypeError {
  return new TypeError(`expected ${expected}, got ${JSON.stringify(value)}`)
}
