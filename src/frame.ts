import { ProtocolViolation } from './errors'

/** Bytes of the big-endian length that stands before every frame's body. */
export const PREFIX_BYTES = 4

/** A frame with its prefix: a piece of a buffer that may hold others before and after it. */
export interface Frame {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** Where in the chunk the body of a frame lies. The bytes are only lent: they may be reused after the call. */
export type FrameSink = (bytes: Buffer, start: number, end: number) => void

/**
 * Cuts a stream of chunks into frames.
 *
 * A frame that lies whole in one chunk is handed on where it is; one that spans chunks is gathered in a buffer that
 * grows with what has arrived, never with what was announced.
 */
export class FrameReader {
  readonly #sink: FrameSink
  #limit: number
  #held: Buffer = Buffer.alloc(0)
  #heldBytes = 0
  #stopped = false

  /** @param limit bytes a frame's body may have */
  constructor(limit: number, sink: FrameSink) {
    this.#limit = limit
    this.#sink = sink
  }

  set limit(bytes: number) {
    this.#limit = bytes
  }

  /** Bytes of a frame that has begun and not ended. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Hands on nothing more, not even from the chunk being read. */
  stop(): void {
    this.#stopped = true
    this.#held = Buffer.alloc(0)
    this.#heldBytes = 0
  }

  /** @throws ProtocolViolation for a length that is zero or over the limit, before anything of its body is held */
  push(chunk: Buffer): void {
    let offset = this.#heldBytes > 0 ? this.#complete(chunk) : 0
    while (!this.#stopped && chunk.length - offset >= PREFIX_BYTES) {
      const body = offset + PREFIX_BYTES
      const end = body + this.#checked(chunk.readUInt32BE(offset))
      if (end > chunk.length) break
      this.#sink(chunk, body, end)
      offset = end
    }
    if (!this.#stopped && offset < chunk.length) this.#hold(chunk, offset, chunk.length)
  }

  /** Goes on with the frame that is held; returns how far into the chunk it reached. */
  #complete(chunk: Buffer): number {
    let offset = 0
    if (this.#heldBytes < PREFIX_BYTES) {
      offset = Math.min(PREFIX_BYTES - this.#heldBytes, chunk.length)
      this.#hold(chunk, 0, offset)
      if (this.#heldBytes < PREFIX_BYTES) return offset
    }
    const total = PREFIX_BYTES + this.#checked(this.#held.readUInt32BE(0))
    const end = Math.min(offset + total - this.#heldBytes, chunk.length)
    this.#hold(chunk, offset, end)
    if (this.#heldBytes === total) {
      const frame = this.#held
      this.#held = Buffer.alloc(0)
      this.#heldBytes = 0
      this.#sink(frame, PREFIX_BYTES, total)
    }
    return end
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const needed = this.#heldBytes + end - start
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * this.#held.length, PREFIX_BYTES + this.#limit)))
      this.#held.copy(grown, 0, 0, this.#heldBytes)
      this.#held = grown
    }
    chunk.copy(this.#held, this.#heldBytes, start, end)
    this.#heldBytes = needed
  }

  #checked(length: number): number {
    if (length === 0) throw new ProtocolViolation('frame-empty', 'expected a body, got a length of 0')
    if (length > this.#limit) {
      throw new ProtocolViolation('frame-too-large', `expected at most ${this.#limit} bytes, got a length of ${length}`)
    }
    return length
  }
}
