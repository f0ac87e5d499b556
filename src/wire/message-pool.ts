import type { Region } from './region'

/** As large as Node's own pool: a frame that stays queued keeps no more than this alive. */
const POOL_BYTES = 8 * 1024

/** The longest frame that is certain to fit in. */
const MAX_CERTAIN_BYTES = POOL_BYTES / 4

/** Where messages are encoded, one after another, so that those that leave together are one piece of memory. */
export class MessagePool {
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(this.#bytes.buffer, 0, 0)
  #used = 0

  get bytes(): Buffer {
    return this.#bytes
  }

  /** What is left after the first bytes of the next frame. */
  after(bytes: number): Region {
    if (this.#bytes.length - this.#used < MAX_CERTAIN_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(POOL_BYTES)
      this.#view = new DataView(this.#bytes.buffer, 0, POOL_BYTES)
      this.#used = 0
    }
    return { bytes: this.#bytes, view: this.#view, start: this.#used + bytes, end: POOL_BYTES }
  }

  /** A frame has been put there. */
  occupy(end: number): void {
    this.#used = end
  }
}
