import type { Socket } from 'node:net'
import type { StreamCodec } from './codec'

/** Bytes of one write. */
export const BATCH_BYTES = 64 * 1024

/** Bytes of the length before each frame. */
const PREFIX = 4

/**
 * Calls the handler with each payload that arrives on a socket.
 *
 * @param done called behind the last one of each chunk
 */
export function readFrames(
  socket: Socket,
  codec: StreamCodec,
  handler: (payload: unknown) => void,
  done: () => void = () => {},
): void {
  const decode = codec.decoder()
  const reader = new FrameReader((bytes, start, end) => handler(decode(bytes, start, end)))
  socket.on('data', (chunk) => {
    reader.read(chunk)
    done()
  })
}

/** Splits chunks of a stream into frames. */
export class FrameReader {
  readonly #onFrame: (bytes: Buffer, start: number, end: number) => void
  /** The beginning of a frame; `needed` bytes are required to continue. */
  #held: Buffer[] = []
  #heldBytes = 0
  #needed = 0

  constructor(onFrame: (bytes: Buffer, start: number, end: number) => void) {
    this.#onFrame = onFrame
  }

  read(chunk: Buffer): void {
    const bytes = this.#heldBytes > 0 ? this.#withHeld(chunk) : chunk
    if (!bytes) return
    let start = 0
    while (bytes.length - start >= PREFIX) {
      const end = start + PREFIX + bytes.readUInt32BE(start)
      if (end > bytes.length) return this.#hold(bytes.subarray(start), end - start)
      this.#onFrame(bytes, start + PREFIX, end)
      start = end
    }
    if (start < bytes.length) this.#hold(bytes.subarray(start), PREFIX)
  }

  #hold(bytes: Buffer, needed: number): void {
    this.#held.push(bytes)
    this.#heldBytes = bytes.length
    this.#needed = needed
  }

  /** Concatenates only once, when there is enough to continue. */
  #withHeld(chunk: Buffer): Buffer | undefined {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes < this.#needed) return undefined
    const bytes = Buffer.concat(this.#held, this.#heldBytes)
    this.#held = []
    this.#heldBytes = 0
    return bytes
  }
}

/** Collects frames into one write. A partial batch leaves at the end of the tick. */
export class FrameBatch {
  readonly #write: (bytes: Buffer) => void
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #end = 0

  /** @param write gets each full or flushed batch, which is never reused */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  add(body: Buffer): void {
    const needed = PREFIX + body.length
    if (this.#end + needed > BATCH_BYTES) this.flush()
    if (needed > BATCH_BYTES) return this.#writeAlone(body)
    if (this.#end === 0) process.nextTick(() => this.flush())
    this.#bytes.writeUInt32BE(body.length, this.#end)
    this.#bytes.set(body, this.#end + PREFIX)
    this.#end += needed
  }

  flush(): void {
    if (this.#end === 0) return
    this.#write(this.#bytes.subarray(0, this.#end))
    this.#bytes = Buffer.allocUnsafeSlow(BATCH_BYTES)
    this.#end = 0
  }

  #writeAlone(body: Buffer): void {
    const frame = Buffer.allocUnsafeSlow(PREFIX + body.length)
    frame.writeUInt32BE(body.length, 0)
    frame.set(body, PREFIX)
    this.#write(frame)
  }
}
