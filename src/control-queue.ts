import type { Frame } from './frame'

/** Frames of control messages that wait to be sent, in order. */
export class ControlQueue {
  readonly #frames = new Set<Frame>()

  get isEmpty(): boolean {
    return this.#frames.size === 0
  }

  push(frame: Frame): void {
    this.#frames.add(frame)
  }

  /** Takes one back. Returns whether it was still waiting. */
  withdraw(frame: Frame): boolean {
    return this.#frames.delete(frame)
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
      this.#frames.delete(frame)
      taken += frame.end - frame.start
      chunks.push(frame.bytes.subarray(frame.start, frame.end))
    }
    return chunks.length > 1 ? [Buffer.concat(chunks)] : chunks
  }

  clear(): void {
    this.#frames.clear()
  }
}
