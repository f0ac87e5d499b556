import type { Host } from './host'
import type { Weather } from './weather'

/** Who is at the ends of a pipe. */
export interface PipeEnds {
  readonly writer: Host
  readonly reader: Host
  /** What the writer has been given will not leave any more. */
  readonly failed: (cause: Error) => void
  /** The writer's end has left. */
  readonly ended: () => void
}

export interface Reader {
  readonly data: (chunk: Buffer) => void
  /** No more comes; with a cause, because the other side was closed in a hurry. */
  readonly end: (cause: Error | undefined) => void
}

interface Write {
  readonly chunks: readonly Uint8Array[]
  readonly done: () => void
  /** Bytes that are in the kernel. */
  written: number
}

/** Bytes in one direction: some still with the writer, some in the kernel, which keeps them in order and only so many. */
export class Pipe {
  readonly #ends: PipeEnds
  readonly #weather: Weather
  readonly #capacity: number
  readonly #writes: Write[] = []
  readonly #kernel: Buffer[] = []
  #kernelBytes = 0
  #writer: 'open' | 'ending' | 'ended' = 'open'
  #reset: Error | undefined
  /** Nobody will read any more. */
  #isBroken = false
  #reader: Reader | undefined
  #isReading = false
  #stalledUntil = 0

  constructor(ends: PipeEnds, weather: Weather) {
    this.#ends = ends
    this.#weather = weather
    this.#capacity = weather.capacity()
  }

  get hasUnread(): boolean {
    return this.#kernelBytes > 0
  }

  /** Bytes that are still with the writer. */
  get unwritten(): number {
    return this.#writes.reduce((sum, { chunks, written }) => sum + sizeOf(chunks) - written, 0)
  }

  /** Returns whether the kernel has taken everything at once; if not, `done` is called when it has. */
  write(chunks: readonly Uint8Array[], done: () => void): boolean {
    if (this.#writer !== 'open') return false
    if (this.#isBroken) {
      this.#fail()
      return false
    }
    let isAtOnce = true
    this.#writes.push({ chunks, done: () => isAtOnce || done(), written: 0 })
    this.#fill()
    isAtOnce = this.#writes.length === 0
    return isAtOnce
  }

  /** Sends nothing more, once everything has left. That nobody can read it any more is no reason not to end. */
  end(): void {
    if (this.#writer === 'ending') return
    if (this.#writer === 'ended') return this.#ends.writer.schedule(0, this.#ends.ended)
    this.#writer = 'ending'
    this.#fill()
  }

  /** The writer has closed; what is in the kernel can still be read. */
  closeWriter(reset: Error | undefined): void {
    this.#writes.length = 0
    this.#reset ??= reset
    this.#writer = 'ended'
    this.#planRead()
  }

  /** The reader has closed, and what it has not read is gone. */
  closeReader(): void {
    this.#reader = undefined
    this.#truncate(0)
    this.#break()
  }

  readBy(reader: Reader): void {
    this.#reader = reader
    this.#planRead()
  }

  /** Delivers nothing before that time. */
  stall(until: number): void {
    this.#stalledUntil = until
  }

  /** Breaks in the middle of whatever is under way. */
  cut(cause: Error): void {
    this.#truncate(this.#weather.surviving(this.#kernelBytes))
    const reset = this.#weather.coin() ? cause : undefined
    this.#break()
    this.closeWriter(reset)
  }

  #break(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    if (this.#writes.length > 0) this.#fail()
  }

  #fail(): void {
    this.#writes.length = 0
    this.#ends.writer.schedule(this.#weather.delay(), () => this.#ends.failed(new Error('write EPIPE')))
  }

  /** Moves into the kernel what it has room for. Bytes are copied when they move, not before, as by the real one. */
  #fill(): void {
    for (let write = this.#writes[0]; write && this.#kernelBytes < this.#capacity; write = this.#writes[0]) {
      this.#move(write)
      if (write.written < sizeOf(write.chunks)) return
      this.#writes.shift()
      const { done } = write
      this.#ends.writer.schedule(0, () => {
        if (!this.#isBroken) done()
      })
    }
    if (this.#writer !== 'ending' || this.#writes.length > 0) return
    this.#writer = 'ended'
    this.#ends.writer.schedule(0, this.#ends.ended)
    this.#planRead()
  }

  #move(write: Write): void {
    let skip = write.written
    for (const chunk of write.chunks) {
      const room = this.#capacity - this.#kernelBytes
      if (skip >= chunk.length) skip -= chunk.length
      else if (room > 0) {
        const piece = Buffer.from(chunk.subarray(skip, skip + room))
        this.#kernel.push(piece)
        this.#kernelBytes += piece.length
        write.written += piece.length
        skip = 0
      }
    }
    this.#planRead()
  }

  #planRead(): void {
    const isMore = this.#kernelBytes > 0 || this.#writer === 'ended'
    if (!this.#reader || this.#isReading || !isMore) return
    this.#isReading = true
    const { reader } = this.#ends
    reader.schedule(Math.max(this.#stalledUntil - reader.now, 0) + this.#weather.delay(), () => this.#read())
  }

  #read(): void {
    this.#isReading = false
    const reader = this.#reader
    if (!reader) return
    if (this.#stalledUntil > this.#ends.reader.now) return this.#planRead()
    if (this.#kernelBytes > 0) {
      const chunk = this.#take(this.#weather.readable(this.#kernelBytes))
      if (this.#writes.length > 0 && !this.#isBroken) this.#planFill()
      reader.data(chunk)
      return this.#planRead()
    }
    if (this.#writer !== 'ended') return
    this.#reader = undefined
    reader.end(this.#reset)
  }

  #planFill(): void {
    this.#ends.writer.schedule(this.#weather.delay(), () => {
      if (!this.#isBroken) this.#fill()
    })
  }

  #take(bytes: number): Buffer {
    const [first] = this.#kernel
    if (first?.length === bytes) {
      this.#kernel.shift()
      this.#kernelBytes -= bytes
      return first
    }
    const all = Buffer.concat(this.#kernel)
    this.#kernel.length = 0
    if (bytes < all.length) this.#kernel.push(all.subarray(bytes))
    this.#kernelBytes -= bytes
    return Buffer.from(all.subarray(0, bytes))
  }

  #truncate(bytes: number): void {
    const all = Buffer.concat(this.#kernel)
    this.#kernel.length = 0
    if (bytes > 0) this.#kernel.push(all.subarray(0, bytes))
    this.#kernelBytes = bytes
  }
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}
