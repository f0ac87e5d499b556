import { PayloadTooLarge } from '../model/errors'
import { type Frame, PREFIX_BYTES } from './frame'
import { type Assignment, KIND_CODES } from './message'
import {
  BIN_8,
  BIN_16,
  BIN_32,
  FALSE,
  FIXARRAY_2,
  FIXARRAY_3,
  FIXARRAY_4,
  FIXARRAY_5,
  FIXSTR,
  STR_8,
  TRUE,
} from './msgpack-format'
import { pack } from './packer'
import { Slabs } from './slabs'

/** A frame with a payload at its end. */
export interface EventFrame extends Frame {
  readonly payloadStart: number
}

/** A buffer of one frame of up to so many slabs is used again, as a slab is. */
const MAX_REUSED_SLABS = 4

/** Turns events into frames, each event once, whatever the number of its receivers. */
export class EventEncoder {
  readonly #limit: number
  readonly #slabs: Slabs
  /** A frame over this size gets a buffer of its own instead of the rest of a slab. */
  readonly #maxInSlab: number
  readonly #headers = new Map<string, Buffer>()
  /** None yet: many an endpoint only listens. */
  #slab: Buffer = Buffer.alloc(0)
  #slabView: DataView = new DataView(this.#slab.buffer, this.#slab.byteOffset, 0)
  #used = 0
  /** Slabs written full, and buffers of large frames, of which somebody may still hold a frame. */
  #full: Buffer[] = []

  /** @param limit bytes a frame's body may have */
  constructor(limit: number, slabs = new Slabs()) {
    this.#limit = limit
    this.#slabs = slabs
    this.#maxInSlab = slabs.bytes / 4
  }

  /** Would a frame of that size begin a new slab? One that gets a buffer of its own would not. */
  isFullFor(bytes: number): boolean {
    return bytes <= this.#maxInSlab && this.#used + bytes > this.#slab.length
  }

  /** Nobody has a frame in hand any more that isn't pinned: full slabs are left to those who have pinned them. */
  releaseSlabs(): void {
    for (const slab of this.#full) this.#slabs.unpin(slab)
    if (this.#full.length > 0) this.#full = []
  }

  /** @throws UnserializablePayload, PayloadTooLarge */
  event(type: string, payload: unknown): EventFrame {
    const header = this.#header(type)
    if (payload === undefined) {
      const frame = this.#place(header, 0, type)
      frame.bytes[frame.start + PREFIX_BYTES] = FIXARRAY_2
      return frame
    }
    if (payload instanceof Uint8Array) return this.#binary(type, header, payload)

    const { bytes, view, start, end } = pack(payload)
    const frame = this.#place(header, end - start, type)
    const isShort = end - start <= FEW_BYTES && frame.bytes === this.#slab
    if (isShort) copyFew(view, start, end, this.#slabView, frame.payloadStart)
    else frame.bytes.set(bytes.subarray(start, end), frame.payloadStart)
    return frame
  }

  /** An event, encoded already, once more for a member of a queue. @throws PayloadTooLarge */
  assignment({ bytes, payloadStart, end }: EventFrame, assigned: Omit<Assignment, 'kind' | 'payload'>): Frame {
    const { queue, type, isFixed } = assigned
    const code = payloadStart === end ? FIXARRAY_4 : FIXARRAY_5
    const flag = isFixed ? TRUE : FALSE
    const header = Buffer.from([code, KIND_CODES.assign, ...stringOf(queue), ...stringOf(type), flag])
    const frame = this.#place(header, end - payloadStart, type)
    bytes.copy(frame.bytes, frame.payloadStart, payloadStart, end)
    return frame
  }

  /** Bytes at the top of a payload skip msgpackr, whose look-up of extensions costs more than the copy. */
  #binary(type: string, header: Buffer, payload: Uint8Array): EventFrame {
    const length = payload.length
    const head = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    const frame = this.#place(header, head + length, type)
    const { bytes, payloadStart: at } = frame
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

  /** Makes room for a frame, and writes its length and header. */
  #place(header: Buffer, payloadBytes: number, type: string): EventFrame {
    const length = header.length + payloadBytes
    if (length > this.#limit) {
      throw new PayloadTooLarge(`event ${type}: expected a frame of at most ${this.#limit} bytes, got ${length}`)
    }
    const size = PREFIX_BYTES + length
    let bytes = this.#slab
    let start = this.#used
    if (size > this.#maxInSlab) {
      bytes = this.#ownBuffer(size)
      start = 0
    } else {
      if (start + size > bytes.length) {
        this.#full.push(bytes)
        bytes = this.#slab = this.#slabs.take()
        this.#slabView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
        start = 0
      }
      this.#used = start + size
    }
    const payloadStart = start + PREFIX_BYTES + header.length
    writeLength(bytes, start, length)
    // A header is so short that a loop is faster than a call.
    for (let index = 0; index < header.length; index++) bytes[start + PREFIX_BYTES + index] = header[index] ?? 0
    return { bytes, start, payloadStart, end: start + size }
  }

  /** A buffer for one frame. A very large one is not worth keeping until the next is sent. */
  #ownBuffer(size: number): Buffer {
    if (size > this.#slabs.bytes * MAX_REUSED_SLABS) return Buffer.allocUnsafeSlow(size)
    const bytes = this.#slabs.take(size)
    this.#full.push(bytes)
    return bytes
  }

  /** The elements before the payload, the same for every event of a type: `[event, type, ...`. */
  #header(type: string): Buffer {
    const known = this.#headers.get(type)
    if (known) return known
    const header = Buffer.from([FIXARRAY_3, KIND_CODES.event, ...stringOf(type)])
    if (this.#headers.size < 10_000) this.#headers.set(type, header)
    return header
  }
}

/** What `writeUInt32BE` does, without its checks: every frame needs it, and a slab always has room for it. */
function writeLength(bytes: Buffer, at: number, length: number): void {
  bytes[at] = length >>> 24
  bytes[at + 1] = length >>> 16
  bytes[at + 2] = length >>> 8
  bytes[at + 3] = length
}

/** A string of up to 255 bytes in its shortest form. */
function stringOf(text: string): readonly number[] {
  const bytes = Buffer.from(text)
  return bytes.length < 0x20 ? [FIXSTR | bytes.length, ...bytes] : [STR_8, bytes.length, ...bytes]
}

/** Up to so many bytes a loop is faster than a call of `set`, which also needs a view of just what is copied. */
export const FEW_BYTES = 256

/** Copies a few bytes, four at a time. */
export function copyFew(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const wordsEnd = end - 3
  const shift = at - start
  let index = start
  for (; index < wordsEnd; index += 4) to.setUint32(index + shift, from.getUint32(index))
  for (; index < end; index++) to.setUint8(index + shift, from.getUint8(index))
}
