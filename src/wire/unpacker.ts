import { asError, ProtocolViolation } from '../model/errors'
import { isUnused, longDecoder, SHORT, shortDecoder } from './decoders'
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
    const value = end - start < SHORT ? unpackShort(chunk, start, end) : unpackLong(chunk, start, end)
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

function unpackShort(chunk: Buffer, start: number, end: number): unknown {
  desk.put(chunk, start, end)
  range.start = 0
  range.end = end - start
  return shortDecoder.unpack(desk.bytes, range)
}

function unpackLong(bytes: Buffer, start: number, end: number): unknown {
  if (end - start >= LARGE) return unpackLarge(bytes.subarray(start, end))
  range.start = start
  range.end = end
  return longDecoder.unpack(bytes, range)
}

function unpackLarge(bytes: Buffer): unknown {
  let first: unknown
  longDecoder.unpackMultiple(bytes, (value, _, end = 0) => {
    if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes behind it`)
    first = value
  })
  return first
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
