import { createRequire } from 'node:module'
import { addExtension, C1, Unpackr } from 'msgpackr/index-no-eval'

/** Extensions that two peers have agreed on: `undefined`, and the timestamp. */
const UNDEFINED = 0x00
const TIMESTAMP = 0xff

/** What msgpackr makes of the byte that msgpack never uses. */
const unused = new Set<unknown>([C1])

/** Bytes of a source under which msgpackr knows again the keys that it has read before. */
export const SHORT = 180

/** For sources under that size. It has no native code, a call of which would cost more than it saves. */
export const shortDecoder = strict(Unpackr, addExtension)

let longer: Unpackr | undefined

/** For all others: strings are read by native code, many at a time, where the package for it could be installed. */
export function longDecoder(): Unpackr {
  longer ??= nativeDecoder()
  return longer
}

/** Is it what msgpackr makes of the byte that msgpack never uses? */
export function isUnused(value: unknown): boolean {
  return unused.has(value)
}

/** Loaded when the first long payload comes: the search for native code takes longer than all else in an import. */
function nativeDecoder(): Unpackr {
  const native: typeof import('msgpackr/unpack-no-eval') = require('msgpackr/unpack-no-eval')
  unused.add(native.C1)
  try {
    const extract: unknown = createRequire(require.resolve('msgpackr'))('msgpackr-extract')
    if (typeof extract === 'object' && extract !== null) native.setExtractor(Reflect.get(extract, 'extractStrings'))
  } catch {
    // Without it msgpackr reads them itself.
  }
  return strict(native.Unpackr, native.addExtension)
}

/**
 * A decoder that takes nothing but what two peers have agreed on. msgpackr has one list of extensions for a whole program,
 * except in the builds that are used here. Changed in these, it neither spoils what the program itself does with msgpackr,
 * nor lets peers make instances of what the program has added.
 */
function strict(Decoder: typeof Unpackr, add: typeof addExtension): Unpackr {
  for (let type = UNDEFINED + 1; type < TIMESTAMP; type++) add({ type, unpack: () => refuse(type) })
  const structures: object[] = []
  const decoder = new Decoder({ useRecords: false, structuredClone: false, copyBuffers: true, structures })
  // A record that is defined is added here, so none can be. (Where many values are read, this one field is reset.)
  Object.preventExtensions(Object.assign(structures, { restoreStructures: null }))
  return decoder
}

function refuse(type: number): never {
  throw new RangeError(`an extension of type ${type}`)
}
