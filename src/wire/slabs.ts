/** Frames are written one behind the other into slabs of this size, so that a burst leaves in few, large writes. */
export const SLAB_BYTES = 64 * 1024

/** Bytes kept for later at most; more than that were needed only for a while. */
const SPARE_BYTES = 2 * 1024 * 1024

/** Sizes are whole pages, so that frames of about the same size can have each other's memory. */
const PAGE_BYTES = 4096

/**
 * The buffers that events are written into. A slab is used again when nobody needs any more what is in it: memory that
 * was used a moment ago is still in the processor's cache, and new memory can cost a sender a third of its time.
 *
 * Whoever needs what is in a slab pins it. Pins of other buffers don't count, as nobody writes into those twice.
 */
export class Slabs {
  readonly #bytes: number
  readonly #pins = new Map<ArrayBufferLike, number>()
  /** The one let go last is at the end. */
  readonly #spare: ArrayBufferLike[] = []
  #spareBytes = 0

  /** @param bytes of each slab */
  constructor(bytes = SLAB_BYTES) {
    this.#bytes = bytes
  }

  /** Bytes of each slab. */
  get bytes(): number {
    return this.#bytes
  }

  /** A slab to write into, or a buffer of another size for one large frame, pinned once. */
  take(bytes = this.#bytes): Buffer {
    const size = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
    const buffer = this.#takeSpare(size) ?? Buffer.allocUnsafeSlow(size).buffer
    this.#pins.set(buffer, 1)
    return Buffer.from(buffer, 0, bytes)
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
    this.#spare.push(buffer)
    this.#spareBytes += buffer.byteLength
    while (this.#spareBytes > SPARE_BYTES) this.#spareBytes -= this.#spare.shift()?.byteLength ?? 0
  }

  /** The slab is not to be used again: somebody may read it, and won't say when that is over. */
  discard({ buffer }: Uint8Array): void {
    this.#pins.delete(buffer)
  }

  #takeSpare(size: number): ArrayBufferLike | undefined {
    const at = this.#spare.findLastIndex(({ byteLength }) => byteLength === size)
    if (at < 0) return undefined
    this.#spareBytes -= size
    return this.#spare.splice(at, 1)[0]
  }
}
