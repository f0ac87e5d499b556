/** Size of a slab in bytes. Frames are written into slabs back to back, so that a burst leaves in few, large writes. */
export const SLAB_BYTES = 64 * 1024

/** Most bytes of unused slabs to keep; more were needed only for a peak. */
const SPARE_BYTES = 2 * 1024 * 1024

/** Sizes are rounded up to whole pages, so that large frames of similar sizes can reuse each other's buffers. */
const PAGE_BYTES = 4096

interface Pins {
  count: number
}

/**
 * The pool of buffers that events are written into. A slab is reused when its last pin is gone: recently used memory is
 * still in the processor's cache, and new memory can cost a sender a third of its time.
 *
 * Pins of buffers that aren't slabs are ignored, as those are never reused.
 */
export class Slabs {
  readonly #bytes: number
  /** Of the slabs in use, and of the unused ones, which have none. */
  readonly #pins = new Map<ArrayBufferLike, Pins>()
  /** Unused slabs, the last one used at the end. */
  readonly #spare: ArrayBufferLike[] = []
  #spareBytes = 0

  /** @param bytes size of each slab */
  constructor(bytes = SLAB_BYTES) {
    this.#bytes = bytes
  }

  /** Size of each slab, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns a slab, or a buffer of another size for one large frame, pinned once. */
  take(bytes = this.#bytes): Buffer {
    const size = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
    const buffer = this.#takeSpare(size) ?? Buffer.allocUnsafeSlow(size).buffer
    const pins = this.#pins.get(buffer)
    if (pins) pins.count = 1
    else this.#pins.set(buffer, { count: 1 })
    return Buffer.from(buffer, 0, bytes)
  }

  /** Keeps the slab from being reused, until a matching `unpin`. */
  pin({ buffer }: Uint8Array): void {
    const pins = this.#pins.get(buffer)
    if (pins && pins.count > 0) pins.count++
  }

  unpin({ buffer }: Uint8Array): void {
    const pins = this.#pins.get(buffer)
    if (!pins || pins.count === 0 || --pins.count > 0) return
    this.#spare.push(buffer)
    this.#spareBytes += buffer.byteLength
    while (this.#spareBytes > SPARE_BYTES) this.#dropSpare()
  }

  /** Never reuses the slab: it may still be read, and there will be no `unpin`. */
  discard({ buffer }: Uint8Array): void {
    this.#pins.delete(buffer)
  }

  #dropSpare(): void {
    const buffer = this.#spare.shift()
    if (!buffer) return
    this.#spareBytes -= buffer.byteLength
    this.#pins.delete(buffer)
  }

  #takeSpare(size: number): ArrayBufferLike | undefined {
    const at = this.#spare.findLastIndex(({ byteLength }) => byteLength === size)
    if (at < 0) return undefined
    this.#spareBytes -= size
    return this.#spare.splice(at, 1)[0]
  }
}
