import { createRequire } from 'node:module'
import { addExtension, C1, Unpackr } from 'msgpackr/index-no-eval'
import * as native from 'msgpackr/unpack-no-eval'
import { BIGINT, MAX_BIGINT_BYTES, TIMESTAMP, UNDEFINED } from './msgpack-format'

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
  add({ type: BIGINT, unpack: bigintOf })
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

/** @throws RangeError unless it is over 64 bits and in its only form */
function bigintOf(bytes: Uint8Array): bigint {
  const { length } = bytes
  const [first = 0, second = 0] = bytes
  if (length < 9 || length > MAX_BIGINT_BYTES) throw new RangeError(`an integer of ${length} bytes`)
  const isNegative = first >= 0x80
  const isPadded = second >= 0x80 === isNegative && first === (isNegative ? 0xff : 0)
  if (isPadded || (length === 9 && first === 0)) throw new RangeError('an integer that has a shorter form')
  const { buffer, byteOffset } = bytes
  const digits = Buffer.from(buffer, byteOffset, length).toString('hex')
  return BigInt.asIntN(8 * length, BigInt(`0x${digits}`))
}

function refuse(type: number): never {
  throw new RangeError(`an extension of type ${type}`)
}
