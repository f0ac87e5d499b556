/** The longest text that is sliced, in bytes: for longer ones, most of the time goes into their characters. */
const LONGEST = 64

/** The most bytes that become one string: a text that is kept keeps all of it alive. */
const STRETCH = 256

/** So many bytes behind a text may hold another; fewer aren't worth it. */
const ROOM_FOR_ANOTHER = 16

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
    if (length > LONGEST) return false
    return at + length <= this.#end || payloadEnd - at >= length + ROOM_FOR_ANOTHER
  }

  /** The text at this place, which has to be ASCII. */
  read(bytes: Buffer, at: number, length: number, payloadEnd: number): string {
    if (at + length > this.#end) {
      this.#start = at
      this.#end = Math.min(payloadEnd, at + STRETCH)
      this.#stretch = bytes.toString('latin1', at, this.#end)
    }
    const start = at - this.#start
    return this.#stretch.slice(start, start + length)
  }
}
