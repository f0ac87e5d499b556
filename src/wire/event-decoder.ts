import { parseTypeName } from './field-parsers'
import { type Delivery, KIND_CODES } from './message'
import { FALSE, FIXARRAY_2, FIXARRAY_3, FIXARRAY_6, FIXSTR, STR_8, TRUE, UINT_16, UINT_32 } from './msgpack-format'
import { MAX_DEPTH } from './packed-value'
import { ToldShapes } from './told-shapes'
import { forgetChunk, unpackNext } from './unpacker'

const EMPTY = Buffer.alloc(0)
const NO_VIEW = viewOf(EMPTY)

/** The first byte of no number. */
const NO_COUNT = 0xff

/** Decodes events in place. Caches the last type, since most events have the type of the event before. */
export class EventDecoder {
  /** The shapes that the sender has told. */
  readonly shapes = new ToldShapes()
  /** The name of the last type, as it is encoded. */
  #lastName: DataView = NO_VIEW
  /** The buffer that was read last. */
  #bytes: Buffer = EMPTY
  /** Of that buffer, once a second event is read from it: making one for each large event keeps the garbage collector busy. */
  #view: DataView = NO_VIEW
  #type = ''
  /** Where the element after a number begins. */
  #next = 0
  /** The end of the body if there is no payload. */
  #payloadStart = 0

  /** The type in the last header. */
  get type(): string {
    return this.#type
  }

  /**
   * Reads the header of an event. Returns false unless the body is an event without headers, in its shortest form: then use
   * `decodeMessage`.
   *
   * @throws ProtocolViolation if the type name is invalid
   */
  readPreamble(bytes: Buffer, start: number, end: number): boolean {
    const elements = bytes[start]
    if ((elements !== FIXARRAY_3 && elements !== FIXARRAY_2) || bytes[start + 1] !== KIND_CODES.event) return false
    const name = nameStart(bytes, start + 2)
    const payloadStart = name + nameLength(bytes, start + 2)
    if (name === 0 || payloadStart > end || (payloadStart === end) !== (elements === FIXARRAY_2)) return false
    this.#readType(bytes, name, payloadStart)
    this.#payloadStart = payloadStart
    return true
  }

  /**
   * Reads an event for a member of a queue. Returns undefined unless the body is one with a payload and without
   * headers, given for the first time, in its shortest form: then use `decodeMessage`.
   *
   * @param isOwn is the buffer this event's own? Then bytes that are most of it aren't copied
   * @throws ProtocolViolation
   */
  delivery(bytes: Buffer, start: number, end: number, isOwn = false): Delivery | undefined {
    if (bytes[start] !== FIXARRAY_6 || bytes[start + 1] !== KIND_CODES.give) return undefined
    const member = this.#count(bytes, start + 2, end)
    const number = this.#count(bytes, this.#next, end)
    const head = this.#next
    const name = nameStart(bytes, head)
    const flag = name + nameLength(bytes, head)
    const isFixed = bytes[flag] === TRUE
    if (member < 0 || number < 0 || name === 0 || flag + 1 >= end || !(isFixed || bytes[flag] === FALSE))
      return undefined
    this.#readType(bytes, name, flag)
    this.#payloadStart = flag + 1
    return { kind: 'give', member, number, type: this.#type, isFixed, payload: this.payload(bytes, end, isOwn) }
  }

  /** A number in one of its shorter forms; -1 if it is none. */
  #count(bytes: Buffer, at: number, end: number): number {
    const head = bytes[at] ?? NO_COUNT
    this.#next = at + 1
    if (head < 0x80) return head
    this.#next = at + (head === UINT_16 ? 3 : 5)
    if (this.#next >= end) return -1
    if (head === UINT_16) return bytes.readUInt16BE(at + 1)
    return head === UINT_32 ? bytes.readUInt32BE(at + 1) : -1
  }

  /**
   * The payload of the event whose header was read last.
   *
   * @param isOwn is the buffer this event's own? Then bytes that are most of it aren't copied
   * @throws ProtocolViolation
   */
  payload(bytes: Buffer, end: number, isOwn = false): unknown {
    const start = this.#payloadStart
    return start === end ? undefined : unpackNext(bytes, start, end, MAX_DEPTH, isOwn, this.shapes)
  }

  /** Forgets the chunk, which may be overwritten now. */
  forget(): void {
    forgetChunk()
    this.#bytes = EMPTY
    this.#view = NO_VIEW
  }

  #readType(bytes: Buffer, start: number, end: number): void {
    if (end > start && this.#isLastName(bytes, start, end)) return
    this.#type = parseTypeName(bytes.toString('utf8', start, end), 'type')
    this.#lastName = viewOf(Buffer.from(bytes.subarray(start, end)))
  }

  #isLastName(bytes: Buffer, start: number, end: number): boolean {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = NO_VIEW
      return equals(bytes, start, end, this.#lastName)
    }
    if (this.#view === NO_VIEW) this.#view = viewOf(bytes)
    return holds(this.#view, start, end, this.#lastName)
  }
}

/** Where a name of up to 255 bytes begins; 0 if there is none. */
function nameStart(bytes: Buffer, at: number): number {
  const head = bytes[at] ?? 0
  if (head >= FIXSTR && head < FIXSTR + 0x20) return at + 1
  return head === STR_8 ? at + 2 : 0
}

function nameLength(bytes: Buffer, at: number): number {
  const head = bytes[at] ?? 0
  return head === STR_8 ? (bytes[at + 1] ?? 0) : head - FIXSTR
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

function equals(bytes: Buffer, start: number, end: number, expected: DataView): boolean {
  const length = expected.byteLength
  if (end - start !== length) return false
  for (let index = 0; index < length; index++) if (bytes[start + index] !== expected.getUint8(index)) return false
  return true
}

/** The same, four bytes at a time. */
function holds(view: DataView, start: number, end: number, expected: DataView): boolean {
  const length = expected.byteLength
  if (end - start !== length) return false
  let index = 0
  for (; index + 4 <= length; index += 4) {
    if (view.getUint32(start + index) !== expected.getUint32(index)) return false
  }
  for (; index < length; index++) if (view.getUint8(start + index) !== expected.getUint8(index)) return false
  return true
}
