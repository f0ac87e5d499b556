/** Bytes of a chunk that are laid out at a time: many pieces together cost less than each by itself. */
const LAID_BYTES = 8 * 1024

/** A place of its own for what is read: each piece is moved to where the desk begins. */
export class Desk {
  readonly bytes: Buffer
  /** Bytes that a piece may have. */
  readonly #size: number
  #chunk: Buffer | undefined
  /** What of the chunk lies behind the place for a piece. */
  #start = 0
  #end = 0

  /** @param size bytes that a piece may have */
  constructor(size: number) {
    this.#size = size
    this.bytes = Buffer.allocUnsafeSlow(size + LAID_BYTES)
  }

  /** Moves a piece of a chunk there. Unless it is all of it, the chunk must not change until the desk is cleared. */
  put(chunk: Buffer, start: number, end: number): void {
    if (start === 0 && end === chunk.length) return void this.bytes.set(chunk)
    if (chunk !== this.#chunk || start < this.#start || end > this.#end) this.#lay(chunk, start)
    const at = this.#size + start - this.#start
    this.bytes.copyWithin(0, at, at + end - start)
  }

  /** What lies there is not to be looked at again. */
  clear(): void {
    this.#chunk = undefined
  }

  #lay(chunk: Buffer, start: number): void {
    this.#chunk = chunk
    this.#start = start
    this.#end = Math.min(start + LAID_BYTES, chunk.length)
    this.bytes.set(chunk.subarray(start, this.#end), this.#size)
  }
}
