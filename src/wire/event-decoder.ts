import { parseTypeName } from './field-parsers'
import { KIND_CODES } from './message'
import { BIN_8, BIN_16, BIN_32, FIXARRAY_2, FIXARRAY_3, FIXSTR, STR_8 } from './msgpack-format'
import { forgetChunk, NeverUsed, unpackNext } from './unpacker'

const EMPTY = Buffer.alloc(0)

/**
 * Bytes of a chunk that are copied at a time. Payloads lie side by side in the copy, so that one that is kept for long
 * keeps no more than this alive; that is also how Node's own small buffers share their memory.
 */
const COPY_BYTES = 8 * 1024

/** Reads events where they lie. Remembers the last type, since most events are of the same type as the one before. */
export class EventDecoder {
  #lastHead: Buffer = EMPTY
  #type = ''
  readonly #neverUsed = new NeverUsed()
  /** Equal to the end of the body where there is no payload. */
  #payloadStart = 0
  /** The chunk of which a part has been copied. */
  #copied: Buffer | undefined
  #copy: Buffer = EMPTY
  #copyStart = 0
  #copyEnd = 0

  /** Of the event whose header has been read last. */
  get type(): string {
    return this.#type
  }

  /**
   * Reads the header, if the body is an event in its shortest form (any other is for `decodeMessage`).
   *
   * @throws ProtocolViolation where its type has no name that a type can have
   */
  readHeader(bytes: Buffer, start: number, end: number): boolean {
    const elements = bytes[start]
    if ((elements !== FIXARRAY_3 && elements !== FIXARRAY_2) || bytes[start + 1] !== KIND_CODES.event) return false
    const short = bytes[start + 2] ?? 0
    const isShort = short >= FIXSTR && short < FIXSTR + 0x20
    if (!isShort && short !== STR_8) return false
    const name = start + (isShort ? 3 : 4)
    const payloadStart = name + (isShort ? short - FIXSTR : (bytes[start + 3] ?? 0))
    if (payloadStart > end || (payloadStart === end) !== (elements === FIXARRAY_2)) return false
    this.#readType(bytes, name, payloadStart)
    this.#payloadStart = payloadStart
    return true
  }

  /**
   * The payload of that event.
   *
   * @param isOwn whether the event is all that is in the buffer, which nobody else has: bytes can be left where they are
   * @throws ProtocolViolation
   */
  payload(bytes: Buffer, end: number, isOwn = false): unknown {
    const start = this.#payloadStart
    if (start === end) return undefined
    const from = bytesFrom(bytes, start, end)
    if (from > 0) return isOwn ? bytes.subarray(from, end) : this.#copyOut(bytes, from, end)
    return unpackNext(bytes, start, end, this.#neverUsed.isWithin(bytes, start, end))
  }

  /** The chunk has been read: nothing of it is kept, and it may be written over. */
  forget(): void {
    this.#neverUsed.forget()
    forgetChunk()
    this.#copied = undefined
    this.#copy = EMPTY
  }

  /** Events keep no part of the chunk they came in alive, nor can a later read change them. */
  #copyOut(bytes: Buffer, start: number, end: number): Buffer {
    if (bytes !== this.#copied || end > this.#copyEnd || start < this.#copyStart) {
      this.#copied = bytes
      this.#copyStart = start
      this.#copyEnd = Math.max(end, Math.min(start + COPY_BYTES, bytes.length))
      const piece = bytes.subarray(start, this.#copyEnd)
      this.#copy = end < this.#copyEnd ? copyOfNeighbours(piece) : Buffer.from(piece)
    }
    const at = start - this.#copyStart
    return this.#copy.subarray(at, at + end - start)
  }

  #readType(bytes: Buffer, start: number, end: number): void {
    const last = this.#lastHead
    let same = end > start && end - start === last.length
    for (let index = 0; same && index < last.length; index++) same = bytes[start + index] === last[index]
    if (same) return
    this.#type = parseTypeName(bytes.toString('utf8', start, end), 'type')
    this.#lastHead = Buffer.from(bytes.subarray(start, end))
  }
}

/** Not in Node's pool, of which a newer Node would keep 64 KiB alive: there is one such copy for many events. */
function copyOfNeighbours(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length)
  copy.set(piece)
  // Whoever gave one payload's memory away to a thread would take that of the others along.
  process.getBuiltinModule('node:worker_threads').markAsUntransferable(copy.buffer)
  return copy
}

/** Where the bytes begin, if it is nothing but bytes that fill this piece; 0 if not. */
function bytesFrom(piece: Buffer, start: number, end: number): number {
  const head = piece[start]
  if (head === BIN_8 && start + 2 <= end && start + 2 + (piece[start + 1] ?? 0) === end) return start + 2
  if (head === BIN_16 && start + 3 <= end && start + 3 + piece.readUInt16BE(start + 1) === end) return start + 3
  if (head === BIN_32 && start + 5 <= end && start + 5 + piece.readUInt32BE(start + 1) === end) return start + 5
  return 0
}
