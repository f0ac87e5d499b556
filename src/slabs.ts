/** Frames are written one behind the other into slabs of this size, so that a burst leaves in few, large writes. */
export const SLAB_BYTES = 64 * 1024

/** Slabs kept for later at most; more than that were needed only for a while. */
const SPARE_SLABS = 32

/**
 * The buffers that events are written into. A slab is used again when nobody needs any more what is in it: memory that
 * was used a moment ago is still in the processor's cache, and new memory can cost a sender a third of its time.
 *
 * Whoever needs what is in a slab pins it. Pins of other buffers don't count, as nobody writes into those twice.
 */
export class Slabs {
  readonly #bytes: number
  readonly #pins = new Map<ArrayBufferLike, number>()
  readonly #spare: ArrayBufferLike[] = []

  /** @param bytes of each slab */
  constructor(bytes = SLAB_BYTES) {
    this.#bytes = bytes
  }

  /** Bytes of each slab. */
  get bytes(): number {
    return this.#bytes
  }

  /** A slab to write into, pinned once. */
  take(): Buffer {
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes).buffer
    this.#pins.set(buffer, 1)
    return Buffer.from(buffer)
  }

  /** What is in the slab is needed once more. */
  pin({ buffer }: Uint8Array): void {
    const pins = this.#pins.get(buffer)
    if (pins !== undefined) this.#pins.set(buffer, pins + 1)
  }

  unpin({ buffer }: Uint8Array): void {
    const pins = this.#pins.get(buffer)
    if (pins === undefined) return
    if (pins > 1) {
      this.#pins.set(buffer, pins - 1)
      return
    }
    this.#pins.delete(buffer)
    if (this.#spare.length < SPARE_SLABS) this.#spare.push(buffer)
  }

  /** The slab is not to be used again: somebody may read it, and won't say when that is over. */
  forgo({ buffer }: Uint8Array): void {
    this.#pins.delete(buffer)
  }
}
