import type { Room } from './msgpack-writer'

/** As large as Node's own pool: a frame that stays queued keeps no more than this alive. */
const BYTES = 8 * 1024

/** The longest frame that is certain to get room. */
const MOST = BYTES / 4

/** Where messages are encoded, one behind another, so that those that leave together are one piece of memory. */
export class MessageRoom {
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(this.#bytes.buffer, 0, 0)
  #used = 0

  get bytes(): Buffer {
    return this.#bytes
  }

  /** Where the next frame begins. */
  get used(): number {
    return this.#used
  }

  /** The room behind the first bytes of the next frame. */
  behind(bytes: number): Room {
    if (this.#bytes.length - this.#used < MOST) {
      this.#bytes = Buffer.allocUnsafeSlow(BYTES)
      this.#view = new DataView(this.#bytes.buffer, 0, BYTES)
      this.#used = 0
    }
    return { bytes: this.#bytes, view: this.#view, start: this.#used + bytes, end: BYTES }
  }

  /** A frame has been put there. */
  occupy(end: number): void {
    this.#used = end
  }
}
