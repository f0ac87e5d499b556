import { Fifo } from '../platform/fifo'
import type { Frame } from '../wire/frame'

/** What a frame takes besides its bytes, measured on Node 20 with small requests. */
const HOLDING_BYTES = 200

interface Queued {
  readonly frame: Frame
  /** The cut of the backlog that it stands at, if it is one. */
  readonly cut: number
  isRemoved: boolean
}

/** Messages queued for one peer, in order. They are never dropped. */
export class MessageQueue {
  readonly #charge: (bytes: number) => void
  /** Not a `Map`, which would get a new table each time that a queue of one message is emptied. */
  readonly #queued = new Fifo<Queued>()
  /** Messages that are not removed. */
  #size = 0
  #cost = 0

  /** @param charge called with each change of `cost` */
  constructor(charge: (bytes: number) => void) {
    this.#charge = charge
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  /** Bytes of memory that the queued messages take. */
  get cost(): number {
    return this.#cost
  }

  push(frame: Frame, cut = 0): void {
    this.#queued.push({ frame, cut, isRemoved: false })
    this.#size++
    this.#cost += costOf(frame)
    this.#charge(costOf(frame))
  }

  /** Removes a frame. Returns whether it was still queued. Looks through the queue, as few messages are ever removed. */
  remove(frame: Frame): boolean {
    for (const queued of this.#queued) {
      if (queued.frame !== frame || queued.isRemoved) continue
      queued.isRemoved = true
      this.#left(frame)
      return true
    }
    return false
  }

  /**
   * Takes frames from the front until so many bytes are reached. Several small ones are copied into one chunk, which costs
   * less than a vectored write.
   */
  take(bytes: number): Buffer[] {
    const chunks: Buffer[] = []
    let taken = 0
    let isCopied = true
    while (taken < bytes && this.#size > 0) {
      const frame = this.#shift()
      if (!frame) continue
      taken += frame.end - frame.start
      if (frame.isReference) isCopied = false
      chunks.push(frame.bytes.subarray(frame.start, frame.end))
    }
    return isCopied && chunks.length > 1 && taken <= bytes ? [Buffer.concat(chunks)] : chunks
  }

  /** Moves frames from the front to another queue, as long as their cuts have been passed. */
  moveTo(queue: MessageQueue, hasPassed: (cut: number) => boolean): void {
    for (let { first } = this.#queued; first && hasPassed(first.cut); first = this.#queued.first) {
      const frame = this.#shift()
      if (frame) queue.push(frame)
    }
  }

  clear(): void {
    this.#queued.clear()
    this.#charge(-this.#cost)
    this.#cost = this.#size = 0
  }

  /** The first frame, unless it is removed. */
  #shift(): Frame | undefined {
    const queued = this.#queued.shift()
    if (!queued || queued.isRemoved) return undefined
    this.#left(queued.frame)
    return queued.frame
  }

  #left(frame: Frame): void {
    this.#size--
    this.#cost -= costOf(frame)
    this.#charge(-costOf(frame))
  }
}

function costOf({ start, end }: Frame): number {
  return end - start + HOLDING_BYTES
}
