import type { Unpackr } from 'msgpackr/index-no-eval'
import { ProtocolViolation } from '../model/errors'
import { asError } from '../model/thrown'
import { isUnused, longDecoder, mapDecoder, SHORT, shortDecoder } from './decoders'
import { Desk } from './desk'

/** msgpack never uses this byte; msgpackr returns a special value for it. */
const NEVER_USED = 0xc1

/** From this size in bytes on, a value is unpacked in a way that keeps it out of msgpackr's error messages. */
const LARGE = 16 * 1024

/** Short pieces are moved here: msgpackr takes the end of the range for the size of the source. */
const desk = new Desk(SHORT)

const range = { start: 0, end: 0 }

/**
 * Unpacks the one value in a range of a buffer. Its depth is limited by the stack, whose overflow is an error like any
 * other.
 *
 * @throws ProtocolViolation
 */
export function unpack(bytes: Buffer, start: number, end: number): unknown {
  const piece = bytes.subarray(start, end)
  return unpackNext(piece, 0, piece.length, piece.includes(NEVER_USED))
}

/**
 * The same for one of several pieces of a chunk. The chunk must not change until `forgetChunk`.
 *
 * @param mayBeUnused is the byte that msgpack never uses among the bytes?
 * @throws ProtocolViolation
 */
export function unpackNext(chunk: Buffer, start: number, end: number, mayBeUnused: boolean): unknown {
  try {
    const value = unpackAny(chunk, start, end)
    if (mayBeUnused && holdsUnused(value)) throw new RangeError(`the byte ${NEVER_USED}`)
    return value
  } catch (error) {
    throw new ProtocolViolation('malformed', `expected msgpack, got ${asError(error).message}`, { cause: error })
  }
}

/** Forgets the chunk, which may be overwritten now. */
export function forgetChunk(): void {
  desk.clear()
}

function unpackAny(chunk: Buffer, start: number, end: number): unknown {
  try {
    return end - start < SHORT ? unpackShort(chunk, start, end) : unpackLong(chunk, start, end)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // The program has frozen `Object.prototype`, and msgpackr assigns a key that this has too, such as `constructor`.
    return objectsOf(unpackWhole(mapDecoder, chunk.subarray(start, end)))
  }
}

function unpackShort(chunk: Buffer, start: number, end: number): unknown {
  desk.put(chunk, start, end)
  range.start = 0
  range.end = end - start
  return shortDecoder.unpack(desk.bytes, range)
}

function unpackLong(bytes: Buffer, start: number, end: number): unknown {
  if (end - start >= LARGE) return unpackWhole(longDecoder, bytes.subarray(start, end))
  range.start = start
  range.end = end
  return longDecoder.unpack(bytes, range)
}

/** Without a part of the value in the message of an error. */
function unpackWhole(decoder: Unpackr, bytes: Buffer): unknown {
  let first: unknown
  decoder.unpackMultiple(bytes, (value, _, end = 0) => {
    if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes behind it`)
    first = value
  })
  return first
}

/** Turns each `Map` into the object that msgpackr reads otherwise. */
function objectsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(objectsOf)
  if (!(value instanceof Map)) return value
  const object = {}
  for (const [key, child] of value) {
    if (typeof key === 'object' && key !== null) throw new RangeError('a key that is no string, number or boolean')
    const name = key === '__proto__' ? '__proto_' : String(key)
    const descriptor = { value: objectsOf(child), configurable: true, enumerable: true, writable: true }
    Object.defineProperty(object, name, descriptor)
  }
  return object
}

function holdsUnused(value: unknown): boolean {
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (isUnused(next)) return true
    if (typeof next !== 'object' || next === null || ArrayBuffer.isView(next)) continue
    for (const child of Object.values(next)) left.push(child)
  }
  return false
}

/** Looks for the byte that msgpack never uses in consecutive pieces of a chunk, with one search of the chunk. */
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

  /** Forgets the chunk, which may be overwritten now. */
  forget(): void {
    this.#bytes = undefined
  }
}
