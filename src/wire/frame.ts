import { ProtocolViolation } from '../model/errors'

/** Bytes of the big-endian length that stands before every frame's body. */
export const PREFIX_BYTES = 4

/** A frame with its prefix: a piece of a buffer that may hold others before and after it. */
export interface Frame {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/**
 * Where in the chunk the body of a frame lies. The bytes are only lent, and may be reused after the call, unless the frame
 * has a buffer of its own.
 */
export type FrameSink = (bytes: Buffer, start: number, end: number, isOwn: boolean) => void

/** A frame of at most so many bytes gets its whole buffer at once: to let it grow would cost more than that can. */
const ALLOCATED_AT_ONCE = 256 * 1024

/**
 * Cuts a stream of chunks into frames.
 *
 * A frame that lies whole in one chunk is handed on where it is; one that spans chunks is gathered in a buffer of its own
 * that, if it is large, grows with what has arrived, never with what was announced.
 */
export class FrameReader {
  readonly #sink: FrameSink
  #limit: number
  #held: Buffer = Buffer.alloc(0)
  #heldBytes = 0
  /** Bytes that the held frame has in all, as far as that is known. */
  #total = PREFIX_BYTES
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
    this.#release()
  }

  /** @throws ProtocolViolation for a length that is zero or over the limit, before anything of its body is held */
  push(chunk: Buffer): void {
    let offset = this.#heldBytes > 0 ? this.#complete(chunk) : 0
    while (!this.#stopped && chunk.length - offset >= PREFIX_BYTES) {
      const body = offset + PREFIX_BYTES
      const end = body + this.#checked(chunk.readUInt32BE(offset))
      if (end > chunk.length) {
        this.#total = end - offset
        break
      }
      this.#sink(chunk, body, end, false)
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
    this.#total = total
    const end = Math.min(offset + total - this.#heldBytes, chunk.length)
    this.#hold(chunk, offset, end)
    if (this.#heldBytes === total) {
      const frame = this.#held
      this.#release()
      this.#sink(frame, PREFIX_BYTES, total, true)
    }
    return end
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const needed = this.#heldBytes + end - start
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(this.#sizeFor(needed))
      this.#held.copy(grown, 0, 0, this.#heldBytes)
      this.#held = grown
    }
    chunk.copy(this.#held, this.#heldBytes, start, end)
    this.#heldBytes = needed
  }

  #sizeFor(needed: number): number {
    if (this.#total <= ALLOCATED_AT_ONCE) return Math.max(needed, this.#total)
    return Math.max(needed, Math.min(2 * this.#held.length, this.#total))
  }

  #release(): void {
    this.#held = Buffer.alloc(0)
    this.#heldBytes = 0
    this.#total = PREFIX_BYTES
  }

  #checked(length: number): number {
    if (length === 0) throw new ProtocolViolation('frame-empty', 'expected a body, got a length of 0')
    if (length > this.#limit) {
      throw new ProtocolViolation('frame-too-large', `expected at most ${this.#limit} bytes, got a length of ${length}`)
    }
    return length
  }
}

/** Events that lie one behind the other in one buffer: a link of the chain that a backlog is. */
export interface Run {
  bytes: Buffer
  start: number
  end: number
  /** How many there are. */
  events: number
  /** Of an event of which only the newest is wanted: what it is the newest of. Such an event is alone in its run. */
  readonly key?: string | undefined
  /** How many events have been dropped just before it. */
  gap: number
  previous?: Run | undefined
  next?: Run | undefined
}

/** The frames of a run. They tell their own length, so a run needs no list of them. */
export function* framesOf({ bytes, start, end }: Frame): Generator<Frame> {
  for (let at = start; at < end; at = frameEnd(bytes, at)) yield { bytes, start: at, end: frameEnd(bytes, at) }
}

export function countFrames({ bytes, start, end }: Frame): number {
  let frames = 0
  for (let at = start; at < end; at = frameEnd(bytes, at)) frames++
  return frames
}

/** Where the frame ends with which so many bytes of the run are reached. */
export function cutAfter({ bytes, start, end }: Frame, wanted: number): number {
  let at = start
  while (at < end && at - start < wanted) at = frameEnd(bytes, at)
  return at
}

/** Where the frame that begins there ends. */
export function frameEnd(bytes: Buffer, start: number): number {
  return start + PREFIX_BYTES + bytes.readUInt32BE(start)
}
