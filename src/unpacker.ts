import { createRequire } from 'node:module'
import { addExtension, C1, setExtractor, Unpackr } from 'msgpackr/unpack-no-eval'
import { asError, ProtocolViolation } from './errors'

/** Extensions that two peers have agreed on: `undefined`, and the timestamp. */
const UNDEFINED = 0x00
const TIMESTAMP = 0xff

/** msgpack never uses this byte; msgpackr makes a value of its own of it. */
const NEVER_USED = 0xc1

/** A longer payload may be large enough that msgpackr must not write it down for the message of an error. */
const LARGE = 16 * 1024

// msgpackr has one list of extensions for a whole program, except in this build of its decoder. Changed here, it neither
// spoils what the program itself does with msgpackr, nor lets peers make instances of what the program has added.
for (let type = UNDEFINED + 1; type < TIMESTAMP; type++) addExtension({ type, unpack: () => refuse(type) })
readStringsNatively()

const unpackr = newUnpackr()

function newUnpackr(): Unpackr {
  const structures: object[] = []
  const unpackr = new Unpackr({ useRecords: false, structuredClone: false, copyBuffers: true, structures })
  // A record that is defined is added here, so none can be. (Where many values are read, this one field is reset.)
  Object.preventExtensions(Object.assign(structures, { restoreStructures: null }))
  return unpackr
}

function refuse(type: number): never {
  throw new RangeError(`an extension of type ${type}`)
}

/** As msgpackr does in its other builds, where the package for it could be installed. */
function readStringsNatively(): void {
  try {
    const extract: unknown = createRequire(require.resolve('msgpackr'))('msgpackr-extract')
    if (typeof extract === 'object' && extract !== null) setExtractor(Reflect.get(extract, 'extractStrings'))
  } catch {
    // Without it msgpackr reads them itself.
  }
}

const range = { start: 0, end: 0 }

/**
 * The one value that fills a piece of a buffer.
 *
 * How deep it is nested is bounded by the stack: msgpackr reads level by level, and gives up in good order.
 *
 * @param mayBeUnused whether the byte that msgpack never uses is among the bytes
 * @throws ProtocolViolation
 */
export function unpack(bytes: Buffer, start: number, end: number, mayBeUnused: boolean): unknown {
  range.start = start
  range.end = end
  try {
    const value: unknown = end - start < LARGE ? unpackr.unpack(bytes, range) : unpackLarge(bytes.subarray(start, end))
    if (mayBeUnused && holdsUnused(value)) throw new RangeError(`the byte ${NEVER_USED}`)
    return value
  } catch (error) {
    throw new ProtocolViolation('malformed', `expected msgpack, got ${asError(error).message}`, { cause: error })
  }
}

function unpackLarge(bytes: Buffer): unknown {
  let first: unknown
  unpackr.unpackMultiple(bytes, (value, _, end = 0) => {
    if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes behind it`)
    first = value
  })
  return first
}

function holdsUnused(value: unknown): boolean {
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (next === C1) return true
    if (typeof next !== 'object' || next === null || ArrayBuffer.isView(next)) continue
    for (const child of Object.values(next)) left.push(child)
  }
  return false
}

/** Does the byte that msgpack never uses stand there? */
export function holdsNeverUsed(bytes: Buffer, start: number, end: number): boolean {
  return bytes.subarray(start, end).includes(NEVER_USED)
}

/** Finds that byte in a chunk with one search, however many pieces of the chunk are asked for, in their order. */
export class NeverUsed {
  #bytes: Buffer | undefined
  #next = 0

  isWithin(bytes: Buffer, start: number, end: number): boolean {
    if (bytes !== this.#bytes || this.#next < start) {
      this.#bytes = bytes
      const found = bytes.indexOf(NEVER_USED, start)
      this.#next = found < 0 ? Number.POSITIVE_INFINITY : found
    }
    return this.#next < end
  }

  /** The chunk has been read, and may be written over. */
  forget(): void {
    this.#bytes = undefined
  }
}
