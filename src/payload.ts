import { describe } from './errors'

/** Levels of arrays and objects inside each other that a payload may have. */
export const MAX_DEPTH = 512

/**
 * Finds what in a payload has no form on the wire, as a path and a reason: `payload.items[3].callback is a function`.
 * Only called when packing has failed, so its cost doesn't matter; its answer does.
 */
export function findFlaw(payload: unknown): string | undefined {
  return flawIn(payload, 'payload', [])
}

function flawIn(value: unknown, path: string, ancestors: readonly object[]): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `${path} is ${describe(value)}`
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    return `${path} is ${describe(value)}, which does not fit into 64 bits`
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.includes(value)) return `${path} is an object that holds itself`
  if (ancestors.length >= MAX_DEPTH) return `${path.slice(0, 80)}… is nested deeper than ${MAX_DEPTH} levels`

  const inside = [...ancestors, value]
  for (const [step, child] of children(value)) {
    const flaw = flawIn(child, path + step, inside)
    if (flaw) return flaw
  }
  return undefined
}

function* children(value: object): Generator<[step: string, child: unknown]> {
  if (ArrayBuffer.isView(value)) return
  if (Array.isArray(value) || value instanceof Set) {
    let index = 0
    for (const child of value) yield [`[${index++}]`, child]
  } else if (value instanceof Map) {
    for (const [key, child] of value) yield [`.get(${describe(key)})`, child]
  } else if ('toJSON' in value && typeof value.toJSON === 'function') {
    yield ['.toJSON()', value.toJSON()]
  } else {
    for (const [key, child] of Object.entries(value)) yield [step(key), child]
  }
}

function step(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
