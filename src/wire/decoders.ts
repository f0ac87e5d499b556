import { createRequire } from 'node:module'
import { addExtension, C1, Unpackr } from 'msgpackr/index-no-eval'
import * as native from 'msgpackr/unpack-no-eval'
import { TIMESTAMP, UNDEFINED } from './msgpack-format'

/** The values that msgpackr returns for the byte that msgpack never uses. */
const unused = new Set<unknown>([C1, native.C1])

/** Size in bytes below which msgpackr caches the keys that it reads. */
export const SHORT = 180

/** For sources below that size: without native code, whose call would cost more than it saves. */
export const shortDecoder = strict(Unpackr, addExtension)

/** For all others: reads strings with native code, if its package is installed. */
export const longDecoder = strict(native.Unpackr, native.addExtension)

/** The same, but maps are read as a `Map`. */
export const mapDecoder = strict(native.Unpackr, native.addExtension, false)

/** Is it the value that msgpackr returns for the byte that msgpack never uses? */
export function isUnused(value: unknown): boolean {
  return unused.has(value)
}

let isPrepared = false

/**
 * Looks for native code that reads strings. Not part of the import, which it would take half as long again; but before the
 * first event: later a deploy may have replaced the files, or the process may be out of descriptors.
 */
export function prepareDecoders(): void {
  if (isPrepared) return
  isPrepared = true
  try {
    const extract: unknown = createRequire(createRequire(__filename).resolve('msgpackr'))('msgpackr-extract')
    if (typeof extract === 'object' && extract !== null) native.setExtractor(Reflect.get(extract, 'extractStrings'))
  } catch {
    // Without native code, msgpackr reads strings itself.
  }
}

/**
 * A decoder that refuses everything that isn't in the protocol. The builds of msgpackr used here have their own list of
 * extensions: changing it doesn't affect the program's msgpackr, and peers can't use extensions that the program added.
 */
function strict(Decoder: typeof Unpackr, add: typeof addExtension, mapsAsObjects = true): Unpackr {
  for (let type = UNDEFINED + 1; type < TIMESTAMP; type++) add({ type, unpack: () => refuse(type) })
  const structures: object[] = []
  const decoder = new Decoder({
    useRecords: false,
    mapsAsObjects,
    structuredClone: false,
    copyBuffers: true,
    structures,
  })
  // Defining a record would add to this object, so it can't. (msgpackr resets this one field when it reads many values.)
  Object.preventExtensions(Object.assign(structures, { restoreStructures: null }))
  return decoder
}

function refuse(type: number): never {
  throw new RangeError(`an extension of type ${type}`)
}
