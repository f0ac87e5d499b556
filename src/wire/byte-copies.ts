import { markAsUntransferable } from 'node:worker_threads'

/**
 * Bytes of a chunk that are copied at a time, for several values. A value that is kept keeps no more than this alive. Node's own
 * small buffers share memory in the same way.
 */
const COPY_BYTES = 8 * 1024

const EMPTY = Buffer.alloc(0)

/** Copies bytes out of chunks that will be overwritten. Copying neighbours together costs less. */
export class ByteCopies {
  /** The chunk that was copied last, in part. */
  #chunk: Buffer | undefined
  #copy: Buffer = EMPTY
  #start = 0
  #end = 0

  /** A copy of a range of a chunk, which must not change until `forget`. */
  of(chunk: Buffer, start: number, end: number): Buffer {
    if (chunk !== this.#chunk || end > this.#end || start < this.#start) this.#take(chunk, start, end)
    const at = start - this.#start
    return this.#copy.subarray(at, at + end - start)
  }

  /** Forgets the chunk, which may be overwritten now. */
  forget(): void {
    this.#chunk = undefined
    this.#copy = EMPTY
  }

  #take(chunk: Buffer, start: number, end: number): void {
    this.#chunk = chunk
    this.#start = start
    this.#end = Math.max(end, Math.min(start + COPY_BYTES, chunk.length))
    const piece = chunk.subarray(start, this.#end)
    this.#copy = end < this.#end ? copyOfNeighbours(piece) : Buffer.from(piece)
  }
}

/** Not in Node's pool, as newer versions of Node would keep 64 KiB of it alive. */
function copyOfNeighbours(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length)
  copy.set(piece)
  // Transferring one value to a thread would detach the others in the same memory.
  markAsUntransferable(copy.buffer)
  return copy
}
