/** Bytes that are written at a time. */
export const BATCH_BYTES = 64 * 1024

/** Bytes of a frame's length, which goes ahead of it. */
const PREFIX = 4

/** Cuts what arrives into the frames it was written as. */
export class FrameReader {
  readonly #onFrame: (bytes: Buffer, start: number, end: number) => void
  /** The beginning of a frame, and how much is needed to go on with it. */
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

  /** Puts them together once, when there is enough to go on. */
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

/** Frames that are written together. */
export class FrameBatch {
  readonly #write: (bytes: Buffer) => void
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #end = 0

  /** @param write gets what is full, or flushed; what it gets is not touched again */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  get isEmpty(): boolean {
    return this.#end === 0
  }

  add(body: Buffer): void {
    const needed = PREFIX + body.length
    if (this.#end + needed > BATCH_BYTES) this.flush()
    if (needed > BATCH_BYTES) return this.#writeAlone(body)
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
