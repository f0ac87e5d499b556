import { Packr } from 'msgpackr'
import { asError, PayloadTooLarge, ProtocolViolation, UnserializablePayload } from './errors'
import { type Frame, PREFIX_BYTES } from './frame'
import { fromElements, KIND_CODES, type Message, toElements } from './message'
import { findFlaw } from './payload'

/** Frames are written one behind the other into slabs of this size, so that a burst leaves in few, large writes. */
export const SLAB_BYTES = 64 * 1024

/** A frame over this size gets a buffer of its own instead of the rest of a slab. */
const OWN_BUFFER_BYTES = SLAB_BYTES / 4

/** Pack to the start of msgpackr's scratch buffer and lend it out, instead of allocating: the frame is copied anyway. */
const LEND_SCRATCH = 512 | 1024

/** msgpackr keeps a scratch buffer as large as the largest payload it has packed; over this it is given up. */
const SCRATCH_BYTES = 256 * 1024

const FIXARRAY_2 = 0x92
const FIXARRAY_3 = 0x93
const FIXSTR = 0xa0
const STR_8 = 0xd9
const BIN_8 = 0xc4
const BIN_16 = 0xc5
const BIN_32 = 0xc6

/** What msgpackr lends out: where in its scratch buffer the result lies. */
interface Scratch extends Buffer {
  readonly start?: number
  readonly end?: number
}

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  structuredClone: false,
  moreTypes: false,
  copyBuffers: true,
  // Left to itself msgpackr writes a function as `undefined`: a payload that is not the one that was sent.
  writeFunction(): never {
    throw new TypeError('it holds a function')
  },
})

/** How many payloads are being packed: a getter or `toJSON` of one may broadcast another. */
let packing = 0

/** Turns events and messages into frames, each event once, whatever the number of its receivers. */
export class Encoder {
  readonly #limit: number
  readonly #headers = new Map<string, Buffer>()
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #used = 0

  /** @param limit bytes a frame's body may have */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** @throws UnserializablePayload, PayloadTooLarge */
  event(type: string, payload: unknown): Frame {
    const header = this.#header(type)
    if (payload === undefined) {
      const frame = this.#place(header.length, type)
      header.copy(frame.bytes, frame.start + PREFIX_BYTES)
      frame.bytes[frame.start + PREFIX_BYTES] = FIXARRAY_2
      return frame
    }
    if (payload instanceof Uint8Array) return this.#binary(type, header, payload)

    const packed = pack(payload)
    const from = packed.start ?? 0
    const to = packed.end ?? packed.length
    const frame = this.#place(header.length + to - from, type)
    header.copy(frame.bytes, frame.start + PREFIX_BYTES)
    packed.copy(frame.bytes, frame.start + PREFIX_BYTES + header.length, from, to)
    return frame
  }

  /** Bytes at the top of a payload skip msgpackr, whose look-up of extensions costs more than the copy. */
  #binary(type: string, header: Buffer, payload: Uint8Array): Frame {
    const length = payload.length
    const head = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    const frame = this.#place(header.length + head + length, type)
    const { bytes } = frame
    let at = frame.start + PREFIX_BYTES
    at += header.copy(bytes, at)
    if (head === 2) {
      bytes[at] = BIN_8
      bytes[at + 1] = length
    } else if (head === 3) {
      bytes[at] = BIN_16
      bytes.writeUInt16BE(length, at + 1)
    } else {
      bytes[at] = BIN_32
      bytes.writeUInt32BE(length, at + 1)
    }
    bytes.set(payload, at + head)
    return frame
  }

  /** Makes room for a frame and writes its length. */
  #place(length: number, type: string): Frame {
    if (length > this.#limit) {
      throw new PayloadTooLarge(`event ${type}: expected a frame of at most ${this.#limit} bytes, got ${length}`)
    }
    const size = PREFIX_BYTES + length
    if (size > OWN_BUFFER_BYTES) {
      const bytes = Buffer.allocUnsafeSlow(size)
      bytes.writeUInt32BE(length, 0)
      return { bytes, start: 0, end: size }
    }
    if (this.#used + size > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#used = 0
    }
    const start = this.#used
    this.#used += size
    this.#slab.writeUInt32BE(length, start)
    return { bytes: this.#slab, start, end: start + size }
  }

  /** The elements before the payload, the same for every event of a type: `[event, type, …`. */
  #header(type: string): Buffer {
    const known = this.#headers.get(type)
    if (known) return known
    const name = Buffer.from(type)
    const head = name.length < 0x20 ? [FIXSTR | name.length] : [STR_8, name.length]
    const header = Buffer.from([FIXARRAY_3, KIND_CODES.event, ...head, ...name])
    if (this.#headers.size < 10_000) this.#headers.set(type, header)
    return header
  }
}

/** A frame for a message other than an event. */
export function encodeMessage(message: Message): Frame {
  const packed = packr.pack(toElements(message))
  const bytes = Buffer.allocUnsafeSlow(PREFIX_BYTES + packed.length)
  bytes.writeUInt32BE(packed.length, 0)
  packed.copy(bytes, PREFIX_BYTES)
  return { bytes, start: 0, end: bytes.length }
}

/** @throws ProtocolViolation for a body that is not msgpack, or no message */
export function decodeMessage(bytes: Buffer, start: number, end: number): Message {
  return fromElements(unpack(bytes, start, end))
}

/** What the start of an event's body says; the payload is still to be decoded. */
export interface EventHeader {
  readonly type: string
  /** Where the payload begins; equal to the end of the body where there is none. */
  readonly payloadStart: number
}

/** Reads events where they lie. Remembers the last type, since most events are of the same type as the one before. */
export class EventDecoder {
  #lastHead: Buffer = Buffer.alloc(0)
  #lastType = ''

  /** The header, if the body is an event in its shortest form (any other is for `decodeMessage`). */
  header(bytes: Buffer, start: number, end: number): EventHeader | undefined {
    const elements = bytes[start]
    if ((elements !== FIXARRAY_3 && elements !== FIXARRAY_2) || bytes[start + 1] !== KIND_CODES.event) return undefined
    const short = bytes[start + 2] ?? 0
    const isShort = short >= FIXSTR && short < FIXSTR + 0x20
    if (!isShort && short !== STR_8) return undefined
    const name = start + (isShort ? 3 : 4)
    const payloadStart = name + (isShort ? short - FIXSTR : (bytes[start + 3] ?? 0))
    if (payloadStart > end || (payloadStart === end) !== (elements === FIXARRAY_2)) return undefined
    return { type: this.#type(bytes, name, payloadStart), payloadStart }
  }

  /** @throws ProtocolViolation */
  payload(bytes: Buffer, start: number, end: number): unknown {
    if (start === end) return undefined
    const head = bytes[start]
    if (head === BIN_8 && start + 2 <= end && start + 2 + (bytes[start + 1] ?? 0) === end) {
      return copyOut(bytes, start + 2, end)
    }
    if (head === BIN_16 && start + 3 <= end && start + 3 + bytes.readUInt16BE(start + 1) === end) {
      return copyOut(bytes, start + 3, end)
    }
    if (head === BIN_32 && start + 5 <= end && start + 5 + bytes.readUInt32BE(start + 1) === end) {
      return copyOut(bytes, start + 5, end)
    }
    return unpack(bytes, start, end)
  }

  #type(bytes: Buffer, start: number, end: number): string {
    const last = this.#lastHead
    let same = end - start === last.length
    for (let index = 0; same && index < last.length; index++) same = bytes[start + index] === last[index]
    if (same) return this.#lastType
    this.#lastHead = copyOut(bytes, start, end)
    this.#lastType = bytes.toString('utf8', start, end)
    return this.#lastType
  }
}

/** Events keep no part of the chunk they came in alive, nor can a later read change them. */
function copyOut(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}

function pack(payload: unknown): Scratch {
  packing++
  try {
    const flaw = findFlaw(payload)
    if (flaw) throw unserializable(flaw)
    const packed: Scratch = packr.pack(payload, LEND_SCRATCH)
    if (packing === 1 && packed.length > SCRATCH_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(8192))
    return packed
  } catch (error) {
    throw error instanceof UnserializablePayload ? error : unserializable(asError(error).message, error)
  } finally {
    packing--
  }
}

function unserializable(flaw: string, cause?: unknown): UnserializablePayload {
  const message = `expected a payload that msgpack can carry, but ${flaw}`
  return new UnserializablePayload(message, cause === undefined ? undefined : { cause })
}

const range = { start: 0, end: 0 }

function unpack(bytes: Buffer, start: number, end: number): unknown {
  range.start = start
  range.end = end
  try {
    return packr.unpack(bytes, range)
  } catch (error) {
    throw new ProtocolViolation('malformed', `expected msgpack, got ${asError(error).message}`, { cause: error })
  }
}
