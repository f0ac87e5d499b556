/** Bytes of a chunk that are copied at a time, as copying many pieces at once costs less. */
const LAID_BYTES = 8 * 1024

/** A buffer to decode from: each piece is moved to its beginning. */
export class Desk {
  readonly bytes: Buffer
  /** Largest size of a piece, in bytes. */
  readonly #size: number
  #chunk: Buffer | undefined
  /** The range of the chunk that has been copied behind the place for a piece. */
  #start = 0
  #end = 0

  /** @param size largest size of a piece, in bytes */
  constructor(size: number) {
    this.#size = size
    this.bytes = Buffer.allocUnsafeSlow(size + LAID_BYTES)
  }

  /** Moves a piece of a chunk to the beginning. Unless the piece is the whole chunk, the chunk must not change until `clear`. */
  put(chunk: Buffer, start: number, end: number): void {
    if (start === 0 && end === chunk.length) return void this.bytes.set(chunk)
    if (chunk !== this.#chunk || start < this.#start || end > this.#end) this.#lay(chunk, start)
    const at = this.#size + start - this.#start
    this.bytes.copyWithin(0, at, at + end - start)
  }

  /** Forgets the chunk. */
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
