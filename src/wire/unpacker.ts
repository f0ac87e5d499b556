import { asError, ProtocolViolation } from '../model/errors'
import { isUnused, longDecoder, SHORT, shortDecoder } from './decoders'
import { Desk } from './desk'

/** msgpack never uses this byte; msgpackr makes a value of its own of it. */
const NEVER_USED = 0xc1

/** A longer payload may be large enough that msgpackr must not write it down for the message of an error. */
const LARGE = 16 * 1024

/** Where short pieces are moved to: msgpackr takes a source for as long as the place is where its value ends. */
const desk = new Desk(SHORT)

const range = { start: 0, end: 0 }

/**
 * The one value that fills a piece of a buffer.
 *
 * How deep it is nested is bounded by the stack: msgpackr reads level by level, and gives up in good order.
 *
 * @throws ProtocolViolation
 */
export function unpack(bytes: Buffer, start: number, end: number): unknown {
  const piece = bytes.subarray(start, end)
  return unpackNext(piece, 0, piece.length, piece.includes(NEVER_USED))
}

/**
 * The same for a piece of a chunk of which more pieces are read. The chunk must not change until it is forgotten.
 *
 * @param mayBeUnused whether the byte that msgpack never uses is among the bytes
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

/** The chunk has been read, and may be written over. */
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
  return longDecoder().unpack(bytes, range)
}

function unpackLarge(bytes: Buffer): unknown {
  let first: unknown
  longDecoder().unpackMultiple(bytes, (value, _, end = 0) => {
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

/** Finds the byte that msgpack never uses in a chunk with one search, however many pieces of the chunk are asked for, in their order. */
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
