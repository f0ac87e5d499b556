import { ProtocolViolation } from '../model/errors'

/** Size of the prefix of a frame, in bytes: the length of its body, big-endian. */
export const PREFIX_BYTES = 4

/** A frame with its prefix, or several in a row: a range of a buffer. */
export interface Frame {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** Whether its memory stands for a message of this endpoint to itself, so that it must not be copied. */
  readonly isReference?: boolean
  /** How many bytes more it would take without records, whose shapes its receivers must have been told. */
  readonly savedBytes?: number
}

/** Receives the range of a frame's body. Unless `isOwn`, the bytes are only valid during the call. */
export type FrameSink = (bytes: Buffer, start: number, end: number, isOwn: boolean) => void

/** A frame up to this size gets its whole buffer at once, as growing it would cost more. */
const ALLOCATED_AT_ONCE = 256 * 1024

const EMPTY = Buffer.alloc(0)

/**
 * Splits a stream of chunks into frames.
 *
 * A frame within one chunk is passed on in place. A frame that spans chunks is copied to a buffer of its own; a large one
 * grows with the bytes that arrive, so that a peer can't make it large by announcing a length.
 */
export class FrameReader {
  readonly #sink: FrameSink
  #limit: number
  #held: Buffer = EMPTY
  #heldBytes = 0
  /** Size of the held frame, as far as it is known. */
  #total = PREFIX_BYTES
  #stopped = false

  /** @param limit largest size of a frame's body, in bytes */
  constructor(limit: number, sink: FrameSink) {
    this.#limit = limit
    this.#sink = sink
  }

  set limit(bytes: number) {
    this.#limit = bytes
  }

  /** Bytes of an incomplete frame. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Passes on no more frames, not even of the chunk being read. */
  stop(): void {
    this.#stopped = true
    this.#release()
  }

  /** @throws ProtocolViolation for a length of zero or over the limit, before any of its body is held */
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

  /** Continues the held frame. Returns how much of the chunk was used. */
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
    this.#held = EMPTY
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

/** Consecutive events in one buffer: a node of the linked list of a backlog. */
export interface Run {
  bytes: Buffer
  start: number
  end: number
  events: number
  /** The key of an event with the policy `latest`, which is alone in its run. */
  readonly key?: string | undefined
  /** Number of events dropped directly before it. */
  gap: number
  /** Number of cuts of the backlog before the first of them, if not the same as before the run. */
  gapCuts?: number | undefined
  /** Number of cuts of the backlog before it. */
  readonly cuts: number
  /** Whether it has a buffer of its own. */
  isCopy?: boolean
  previous?: Run | undefined
  next?: Run | undefined
}

/** The frames of a run, found by their lengths. */
export function* framesOf({ bytes, start, end }: Frame): Generator<Frame> {
  for (let at = start; at < end; at = frameEnd(bytes, at)) yield { bytes, start: at, end: frameEnd(bytes, at) }
}

export function countFrames({ bytes, start, end }: Frame): number {
  let frames = 0
  for (let at = start; at < end; at = frameEnd(bytes, at)) frames++
  return frames
}

/** The end of the first frame that reaches `wanted` bytes of the run. */
export function cutAfter({ bytes, start, end }: Frame, wanted: number): number {
  let at = start
  while (at < end && at - start < wanted) at = frameEnd(bytes, at)
  return at
}

/** The end of the frame that begins at `start`. */
export function frameEnd(bytes: Buffer, start: number): number {
  return start + PREFIX_BYTES + bytes.readUInt32BE(start)
}
