import type { Host } from './host'
import type { NetworkFaults } from './network-faults'

/** The two ends of a pipe. */
export interface PipeEnds {
  readonly writer: Host
  readonly reader: Host
  /** Unsent bytes will never leave. */
  readonly failed: (cause: Error) => void
  /** The writer's end of stream has left. */
  readonly ended: () => void
}

export interface Reader {
  readonly data: (chunk: Buffer) => void
  /** The stream ends; with a cause if the other side was destroyed. */
  readonly end: (cause: Error | undefined) => void
}

interface Write {
  readonly chunks: readonly Uint8Array[]
  readonly done: () => void
  /** Bytes in the kernel. */
  written: number
}

/** One direction of a connection: bytes still with the writer, and bytes in the kernel's bounded buffer. */
export class Pipe {
  readonly #ends: PipeEnds
  readonly #faults: NetworkFaults
  readonly #capacity: number
  readonly #writes: Write[] = []
  readonly #kernel: Buffer[] = []
  #kernelBytes = 0
  #writer: 'open' | 'ending' | 'ended' = 'open'
  #reset: Error | undefined
  /** The reader has closed. */
  #isBroken = false
  #reader: Reader | undefined
  #isReading = false
  #stalledUntil = 0

  constructor(ends: PipeEnds, faults: NetworkFaults) {
    this.#ends = ends
    this.#faults = faults
    this.#capacity = faults.capacity()
  }

  get hasUnread(): boolean {
    return this.#kernelBytes > 0
  }

  /** Bytes still with the writer. */
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

  /** Ends the stream once everything has left, even if the reader has closed. */
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

  /** The reader has closed; unread bytes are lost. */
  closeReader(): void {
    this.#reader = undefined
    this.#kernel.length = 0
    this.#kernelBytes = 0
    this.#break()
  }

  readBy(reader: Reader): void {
    this.#reader = reader
    this.#planRead()
  }

  /** Reads all that is in the kernel, as a process does before it goes on. */
  poll(): void {
    while (this.#reader && this.#kernelBytes > 0) {
      const reader = this.#reader
      const chunk = this.#take(this.#kernelBytes)
      if (this.#writes.length > 0 && !this.#isBroken) this.#planFill()
      reader.data(chunk)
    }
  }

  /** Delivers nothing before that time. */
  stall(until: number): void {
    this.#stalledUntil = until
  }

  /** Breaks the stream in the middle of what is being written. As in a real kernel, what is in there can still be read. */
  cut(cause: Error): void {
    const reset = this.#faults.coin() ? cause : undefined
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
    this.#ends.writer.schedule(this.#faults.delay(), () => this.#ends.failed(failureOf('write', 'EPIPE')))
  }

  /** Moves bytes into the kernel, as far as there is room. Like in a real kernel, they are copied at this time, not before. */
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
    reader.schedule(Math.max(this.#stalledUntil - reader.now, 0) + this.#faults.delay(), () => this.#read())
  }

  #read(): void {
    this.#isReading = false
    const reader = this.#reader
    if (!reader) return
    if (this.#stalledUntil > this.#ends.reader.now) return this.#planRead()
    if (this.#kernelBytes > 0) {
      const chunk = this.#take(this.#faults.readable(this.#kernelBytes))
      if (this.#writes.length > 0 && !this.#isBroken) this.#planFill()
      reader.data(chunk)
      return this.#planRead()
    }
    if (this.#writer !== 'ended') return
    this.#reader = undefined
    reader.end(this.#reset)
  }

  #planFill(): void {
    this.#ends.writer.schedule(this.#faults.delay(), () => {
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
}

/** An error as Node has it of a system call. */
export function failureOf(syscall: 'read' | 'write', code: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { syscall, code })
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}
