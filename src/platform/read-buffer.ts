import type { OnReadOpts } from 'node:net'

/** As much as Linux holds for a reader by default, so that one call reads all. */
const BYTES = 256 * 1024

/**
 * The memory that all dialled sockets of this thread read into, one after another. Otherwise Node allocates 64 KiB for each
 * read, which keeps the garbage collector busy when events are large. Accepted sockets have no such option.
 */
const shared = Buffer.allocUnsafeSlow(BYTES)

/** Hands over what one socket has read. A chunk is only valid during the call. */
export class ReadBuffer implements OnReadOpts {
  readonly buffer = shared
  data: (chunk: Buffer) => void = () => {}

  readonly callback = (bytes: number): boolean => {
    this.data(shared.subarray(0, bytes))
    return true
  }
}
