import type { Frame } from '../wire/frame'

/** What a frame counts at least: many small ones cost more than their bytes. */
const LEAST_COST = 4096

/** Frames of control messages that wait to be sent, in order. */
export class ControlQueue {
  readonly #limit: number
  readonly #overflowed: () => void
  readonly #frames = new Set<Frame>()
  #cost = 0

  /**
   * @param limit bytes that may wait, a frame of less than 4 KiB counted as that
   * @param overflowed called for each frame that is too many: there is no way to drop one
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

  /** Takes one back. Returns whether it was still waiting. */
  remove(frame: Frame): boolean {
    const isWaiting = this.#frames.delete(frame)
    if (isWaiting) this.#cost -= costOf(frame)
    return isWaiting
  }

  /**
   * Takes frames from the front, until so many bytes are reached. Several become one piece: a copy costs less than a
   * vector of pieces, as they are small.
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
  return Math.max(end - start, LEAST_COST)
}
