/** The longest text that is sliced, in bytes: for longer ones, most of the time goes into their characters. */
const MAX_TEXT_BYTES = 64

/** The most bytes that become one string: a text that is kept keeps all of it alive. */
const STRETCH_BYTES = 256

/** With fewer bytes than this after a text, another one is unlikely. */
const MIN_FOLLOWING_BYTES = 16

/**
 * Reads short ASCII texts of a payload. A call of Node's own code takes as long as fifty characters do, so it makes one string
 * of a stretch of bytes, whatever else is in it, and takes slices of that.
 */
export class TextSlices {
  #stretch = ''
  #start = 0
  #end = 0

  /** Begins another payload. */
  begin(): void {
    this.#end = 0
  }

  /** Whether a text is read faster as a slice. */
  suits(at: number, length: number, payloadEnd: number): boolean {
    if (length > MAX_TEXT_BYTES) return false
    return at + length <= this.#end || payloadEnd - at >= length + MIN_FOLLOWING_BYTES
  }

  /** The text at this place, which has to be ASCII. */
  read(bytes: Buffer, at: number, length: number, payloadEnd: number): string {
    if (at + length > this.#end) {
      this.#start = at
      this.#end = Math.min(payloadEnd, at + STRETCH_BYTES)
      this.#stretch = bytes.toString('latin1', at, this.#end)
    }
    const start = at - this.#start
    return this.#stretch.slice(start, start + length)
  }
}
