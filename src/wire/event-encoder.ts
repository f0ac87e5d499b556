import { countBytes, isBytes } from '../model/bytes'
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
  FIXARRAY_6,
  FIXSTR,
  STR_8,
  TRUE,
} from './msgpack-format'
import { measured, type Packed, packPayload } from './packer'
import type { Region } from './region'
import type { ShapeKeys } from './shape-limits'
import { ShapeTree } from './shape-tree'
import { Slabs } from './slabs'

/** The frame of an event. Its payload is at its end, or right before its headers. */
export interface EventFrame extends Frame {
  readonly payloadStart: number
  readonly savedBytes: number
  /** Whether its payload holds integers over 64 bits, which not every peer takes. */
  readonly hasBigints: boolean
  /** Of the headers after its payload. */
  readonly headersBytes?: number
}

/** Who gets an event. */
interface Receiver {
  readonly takesRecords: boolean
}

/** One whose payload is not known yet. A copy of it with more fields would take longer than all the rest. */
type NewFrame = EventFrame & { hasBigints: boolean; savedBytes: number }

/** The buffer of a large frame is reused up to this size, in slabs. */
const MAX_REUSED_SLABS = 4

/** Encodes events into frames: each event once, for all its receivers. */
export class EventEncoder {
  readonly #limit: number
  readonly #slabs: Slabs
  /** A frame over this size gets its own buffer. */
  readonly #maxInSlab: number
  readonly #preambles = new Map<string, Buffer>()
  readonly #records = new ShapeTree()
  /** The type and the preamble that were used last. */
  #lastType: string | undefined
  #lastPreamble: Buffer = Buffer.alloc(0)
  /** Empty until the first event: many endpoints only listen. */
  #slab: Buffer = Buffer.alloc(0)
  #slabView: DataView = new DataView(this.#slab.buffer, this.#slab.byteOffset, 0)
  #used = 0
  /** Whether a payload is being written to the slab. Its getters may send other events. */
  #isWriting = false
  /** Full slabs and buffers of large frames that are still pinned by the encoder. */
  #full: Buffer[] = []

  /** @param limit largest size of a frame's body, in bytes */
  constructor(limit: number, slabs = new Slabs()) {
    this.#limit = limit
    this.#slabs = slabs
    this.#maxInSlab = slabs.bytes / 4
  }

  /** The shapes of its records, by their numbers. There may be more after each event. */
  get shapes(): readonly ShapeKeys[] {
    return this.#records.shapes
  }

  /** Does a frame of this size need a new slab? */
  isFullFor(bytes: number): boolean {
    return bytes <= this.#maxInSlab && this.#used + bytes > this.#slab.length
  }

  /** Unpins all full slabs. Frames in use must have been pinned by their users. */
  releaseSlabs(): void {
    for (const slab of this.#full) this.#slabs.unpin(slab)
    if (this.#full.length > 0) this.#full = []
  }

  /**
   * Encodes an event.
   *
   * @param headers in msgpack, if there are any
   * @param receivers all that it goes to, if it may have records. If one takes none, or by default, it has none
   * @throws UnserializablePayload, PayloadTooLarge
   */
  event(type: string, payload: unknown, headers?: Uint8Array, receivers?: readonly Receiver[]): EventFrame {
    const preamble = this.#preamble(type)
    if (headers !== undefined) return this.#withHeaders(type, preamble, payload, headers, this.#recordsFor(receivers))
    if (payload === undefined) {
      const frame = this.#place(preamble, 0, type)
      frame.bytes[frame.start + PREFIX_BYTES] = FIXARRAY_2
      return frame
    }
    // Empty bytes may be detached.
    if (isBytes(payload)) {
      const length = countBytes(payload)
      if (length > 0) return this.#binary(type, preamble, payload, length)
    }

    const { bytes, start, end, hasBigints, savedBytes } = this.#pack(preamble, payload, this.#recordsFor(receivers))
    this.#assertFits(preamble.length + end - start + savedBytes, type)
    let frame: NewFrame
    if (bytes === this.#slab) frame = this.#occupy(preamble, end, type)
    else {
      frame = this.#place(preamble, end - start, type)
      frame.bytes.set(bytes.subarray(start, end), frame.payloadStart)
    }
    frame.hasBigints = hasBigints
    frame.savedBytes = savedBytes
    return frame
  }

  /** An event with headers after its payload. */
  #withHeaders(type: string, preamble: Buffer, payload: unknown, headers: Uint8Array, records?: ShapeTree): EventFrame {
    const { bytes, start, end, hasBigints, savedBytes } = this.#packAside(payload, records)
    this.#assertFits(preamble.length + end - start + headers.length + savedBytes, type)
    const frame = this.#place(preamble, end - start + headers.length, type)
    frame.bytes[frame.start + PREFIX_BYTES] = FIXARRAY_4
    frame.bytes.set(bytes.subarray(start, end), frame.payloadStart)
    frame.bytes.set(headers, frame.end - headers.length)
    return { ...frame, headersBytes: headers.length, hasBigints, savedBytes }
  }

  #recordsFor(receivers: readonly Receiver[] | undefined): ShapeTree | undefined {
    if (!receivers) return undefined
    for (const { takesRecords } of receivers) if (!takesRecords) return undefined
    return this.#records
  }

  /** Packs a payload after the place for its preamble in the slab, or elsewhere if there is not enough room. */
  #pack(preamble: Buffer, payload: unknown, records: ShapeTree | undefined): Packed {
    const start = this.#used + PREFIX_BYTES + preamble.length
    const end = Math.min(this.#used + this.#maxInSlab, this.#slab.length)
    if (this.#isWriting || start >= end) return this.#packAside(payload, records)
    return this.#packTo({ bytes: this.#slab, view: this.#slabView, start, end }, payload, records)
  }

  /** Packs a payload elsewhere. */
  #packAside(payload: unknown, records: ShapeTree | undefined): Packed {
    return this.#isWriting
      ? packPayload(payload, this.#limit, undefined, records)
      : this.#packTo(undefined, payload, records)
  }

  /** Packs a payload that is not inside another. */
  #packTo(region: Region | undefined, payload: unknown, records: ShapeTree | undefined): Packed {
    records?.prune()
    this.#isWriting = true
    try {
      return packPayload(payload, this.#limit, region, records)
    } finally {
      this.#isWriting = false
    }
  }

  /** Makes a frame of what has been packed in the slab. */
  #occupy(preamble: Buffer, end: number, type: string): NewFrame {
    const start = this.#used
    const length = end - start - PREFIX_BYTES
    this.#assertFits(length, type)
    this.#used = end
    return this.#begun(this.#slab, start, length, preamble)
  }

  /** Throws what `event` would, for an event that nobody gets. @throws UnserializablePayload, PayloadTooLarge */
  check(type: string, payload: unknown, headers?: Uint8Array): void {
    const headersBytes = headers?.length ?? 0
    if (headersBytes === 0 && (payload === undefined || typeof payload === 'boolean')) return
    const besides = this.#preamble(type).length + headersBytes
    const length = isBytes(payload) ? countBytes(payload) : 0
    if (length > 0) return this.#assertFits(besides + headOf(length) + length, type)
    const { start, end } = packPayload(payload, this.#limit)
    this.#assertFits(besides + end - start, type)
  }

  /** Copies an encoded event into an assignment to a queue member. @throws PayloadTooLarge */
  assignment(event: EventFrame, assigned: Omit<Assignment, 'kind' | 'payload'>): Frame {
    const { bytes, payloadStart, end, headersBytes = 0 } = event
    const { queue, type, isFixed } = assigned
    const code = headersBytes > 0 ? FIXARRAY_6 : payloadStart === end ? FIXARRAY_4 : FIXARRAY_5
    const flag = isFixed ? TRUE : FALSE
    const preamble = Buffer.from([code, KIND_CODES.assign, ...stringOf(queue), ...stringOf(type), flag])
    const frame = this.#place(preamble, end - payloadStart, type)
    bytes.copy(frame.bytes, frame.payloadStart, payloadStart, end)
    return frame
  }

  /** Bytes need no walk: their size is known, and so is the room for them. */
  #binary(type: string, preamble: Buffer, payload: Uint8Array, length: number): EventFrame {
    const head = headOf(length)
    const frame = this.#place(preamble, head + length, type)
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

  /** Reserves space for a frame, and writes its length and preamble. */
  #place(preamble: Buffer, payloadBytes: number, type: string): NewFrame {
    const length = preamble.length + payloadBytes
    this.#assertFits(length, type)
    const size = PREFIX_BYTES + length
    let bytes = this.#slab
    let start = this.#used
    if (size > this.#maxInSlab || this.#isWriting) {
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
    return this.#begun(bytes, start, length, preamble)
  }

  /** A frame whose length and preamble are written. */
  #begun(bytes: Buffer, start: number, length: number, preamble: Buffer): NewFrame {
    const payloadStart = start + PREFIX_BYTES + preamble.length
    writeLength(bytes, start, length)
    // For a few bytes, a loop is faster than a call.
    for (let index = 0; index < preamble.length; index++) bytes[start + PREFIX_BYTES + index] = preamble[index] ?? 0
    return { bytes, start, payloadStart, end: start + PREFIX_BYTES + length, hasBigints: false, savedBytes: 0 }
  }

  #assertFits(length: number, type: string): void {
    if (length <= this.#limit) return
    const excess = `takes ${measured(length, this.#limit)} encoded, but limits.frameBytes is ${this.#limit}`
    throw new PayloadTooLarge(`event ${type}: ${excess}; send less, or raise the limit here and at its receivers`)
  }

  /** A buffer for one frame. A very large one isn't kept for reuse. */
  #ownBuffer(size: number): Buffer {
    if (size > this.#slabs.bytes * MAX_REUSED_SLABS || this.#isWriting) return Buffer.allocUnsafeSlow(size)
    const bytes = this.#slabs.take(size)
    this.#full.push(bytes)
    return bytes
  }

  /** The elements before the payload, `[event, type, ...`, cached by type. */
  #preamble(type: string): Buffer {
    if (type === this.#lastType) return this.#lastPreamble
    let preamble = this.#preambles.get(type)
    if (!preamble) {
      preamble = Buffer.from([FIXARRAY_3, KIND_CODES.event, ...stringOf(type)])
      if (this.#preambles.size < 10_000) this.#preambles.set(type, preamble)
    }
    this.#lastType = type
    this.#lastPreamble = preamble
    return preamble
  }
}

/** Size of the head of bytes. */
function headOf(length: number): number {
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
}

/** `writeUInt32BE` without its checks, which every frame would pay for. */
function writeLength(bytes: Buffer, at: number, length: number): void {
  bytes[at] = length >>> 24
  bytes[at + 1] = length >>> 16
  bytes[at + 2] = length >>> 8
  bytes[at + 3] = length
}

/** A string of up to 255 bytes in its shortest format. */
function stringOf(text: string): readonly number[] {
  const bytes = Buffer.from(text)
  return bytes.length < 0x20 ? [FIXSTR | bytes.length, ...bytes] : [STR_8, bytes.length, ...bytes]
}
