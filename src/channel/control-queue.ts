import type { Frame } from '../wire/frame'

/** Bytes that a frame counts at least: many small frames take more memory than their bytes. */
const MIN_COST = 4096

/** The control messages queued for one peer, in order. */
export class ControlQueue {
  readonly #limit: number
  readonly #overflowed: () => void
  readonly #frames = new Set<Frame>()
  #cost = 0

  /**
   * @param limit bytes; each frame counts at least 4 KiB
   * @param overflowed called for each frame beyond the limit, which is queued as well: control messages are never dropped
   */
  constructor(limit: number, overflowed: () => void) {
    this.#limit = limit
    this.#overflowed = overflowed
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0
  }

  push(frame: Frame): void {
    this.#frames.add(frame)
    this.#cost += costOf(frame)
    if (this.#cost > this.#limit) this.#overflowed()
  }

  /** Removes a frame. Returns whether it was still queued. */
  remove(frame: Frame): boolean {
    const wasQueued = this.#frames.delete(frame)
    if (wasQueued) this.#cost -= costOf(frame)
    return wasQueued
  }

  /**
   * Takes frames from the front until so many bytes are reached. Several are copied into one chunk: they are small, so
   * that costs less than a vectored write.
   */
  take(bytes: number): Buffer[] {
    const chunks: Buffer[] = []
    let taken = 0
    for (const frame of this.#frames) {
      if (taken >= bytes) break
      this.remove(frame)
      taken += frame.end - frame.start
      chunks.push(frame.bytes.subarray(frame.start, frame.end))
    }
    return chunks.length > 1 ? [Buffer.concat(chunks)] : chunks
  }

  clear(): void {
    this.#frames.clear()
    this.#cost = 0
  }
}

function costOf({ start, end }: Frame): number {
  return Math.max(end - start, MIN_COST)
}
