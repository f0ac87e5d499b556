import { describe } from '../model/errors'

/** The most levels of nested arrays and objects in a payload. */
export const MAX_DEPTH = 512

/**
 * Finds a value in a payload that can't be encoded, and returns its path with a reason, such as
 * `payload.items[3].callback is a function`; undefined for a valid payload.
 *
 * @throws what a getter or `toJSON` of the payload throws
 */
export function findFlaw(payload: unknown): string | undefined {
  return isPlain(payload, 0) ? undefined : flawIn(payload, 'payload', [])
}

/** Does it contain only JSON values, bytes and dates? A quick check that is enough for most payloads. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object')
    return typeof value !== 'function' && typeof value !== 'symbol' && typeof value !== 'bigint'
  if (value === null) return true
  if (depth === MAX_DEPTH) return false
  if (Array.isArray(value)) {
    for (const child of value) if (!isPlain(child, depth + 1)) return false
    return true
  }
  if (!isRecord(value)) return value instanceof Uint8Array || value instanceof Date
  for (const key in value) if (!isPlain(value[key], depth + 1)) return false
  return true
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype
}

function flawIn(value: unknown, path: string, ancestors: readonly object[]): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `${path} is ${describe(value)}`
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    return `${path} is ${describe(value)}, which does not fit into 64 bits`
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.includes(value)) return `${path} contains itself`
  if (ancestors.length >= MAX_DEPTH) return `${path.slice(0, 80)}… is nested deeper than ${MAX_DEPTH} levels`
  // msgpackr would write the elements of a typed array instead of its bytes.
  if (ArrayBuffer.isView(value) && !(value instanceof Uint8Array)) {
    return `${path} is ${describe(value)}; send its bytes as a Uint8Array`
  }
  for (const [step, child] of children(value)) {
    const flaw = step.flaw ?? flawIn(child, path + step.path, [...ancestors, value])
    if (flaw) return step.flaw ? `${path}${step.path} ${flaw}` : flaw
  }
  return undefined
}

/** The path from a value to one that it contains, and what is wrong with its key. */
interface Step {
  readonly path: string
  readonly flaw?: string | undefined
}

function* children(value: object): Generator<[step: Step, child: unknown]> {
  if (value instanceof Uint8Array || value instanceof Date) return
  if (Array.isArray(value) || value instanceof Set) {
    let index = 0
    for (const child of value) yield [{ path: `[${index++}]` }, child]
  } else if (value instanceof Map) {
    for (const [key, child] of value) yield [{ path: `.get(${describe(key)})`, flaw: flawOfKey(key) }, child]
  } else if (!isRecord(value) && 'toJSON' in value && typeof value.toJSON === 'function') {
    yield [{ path: '.toJSON()' }, value.toJSON()]
  } else {
    if (value instanceof Error) yield [{ path: '.cause' }, value.cause]
    for (const [key, child] of Object.entries(value)) yield [{ path: stepTo(key) }, child]
  }
}

/** Maps arrive as objects, so their keys must have a form as strings. */
function flawOfKey(key: unknown): string | undefined {
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean') return undefined
  return `has a key that is ${describe(key)}; keys must be strings, numbers or booleans`
}

function stepTo(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
