import { createRequire } from 'node:module'
import * as indexed from 'msgpackr/index-no-eval'
import * as native from 'msgpackr/unpack-no-eval'

/** Extensions that two peers have agreed on: `undefined`, and the timestamp. */
const UNDEFINED = 0x00
const TIMESTAMP = 0xff

// msgpackr has one list of extensions for a whole program, except in these builds. Changed here, they neither spoil what
// the program itself does with msgpackr, nor let peers make instances of what the program has added.
for (let type = UNDEFINED + 1; type < TIMESTAMP; type++) {
  const extension = { type, unpack: () => refuse(type) }
  indexed.addExtension(extension)
  native.addExtension(extension)
}

function refuse(type: number): never {
  throw new RangeError(`an extension of type ${type}`)
}

function strict(Decoder: typeof indexed.Unpackr): indexed.Unpackr {
  const structures: object[] = []
  const decoder = new Decoder({ useRecords: false, structuredClone: false, copyBuffers: true, structures })
  // A record that is defined is added here, so none can be. (Where many values are read, this one field is reset.)
  Object.preventExtensions(Object.assign(structures, { restoreStructures: null }))
  return decoder
}

/** Bytes of a source under which msgpackr knows again the keys that it has read before. */
export const SHORT = 180

/** For sources under that size. It has no native code, a call of which would cost more than it saves. */
export const shortDecoder = strict(indexed.Unpackr)

const longer = strict(native.Unpackr)
let isNative = false

/** For all others: strings are read by native code, many at a time, where the package for it could be installed. */
export function longDecoder(): indexed.Unpackr {
  if (!isNative) readStringsNatively()
  isNative = true
  return longer
}

/** Looked for when it is needed, as the search takes longer than all else that this module does. */
function readStringsNatively(): void {
  try {
    const extract: unknown = createRequire(require.resolve('msgpackr'))('msgpackr-extract')
    if (typeof extract === 'object' && extract !== null) native.setExtractor(Reflect.get(extract, 'extractStrings'))
  } catch {
    // Without it msgpackr reads them itself.
  }
}

/** Is it what msgpackr makes of the byte that msgpack never uses? */
export function isUnused(value: unknown): boolean {
  return value === native.C1 || value === indexed.C1
}
