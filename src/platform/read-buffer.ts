import type { OnReadOpts } from 'node:net'

/**
 * The memory that all dialled sockets of this thread read into, one after another. Otherwise Node allocates as much for each
 * read, which keeps the garbage collector busy when events are large. Accepted sockets have no such option.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** Hands over what one socket has read. A chunk is only valid during the call. */
export class ReadBuffer implements OnReadOpts {
  readonly buffer = shared
  data: (chunk: Buffer) => void = () => {}

  readonly callback = (bytes: number): boolean => {
    this.data(shared.subarray(0, bytes))
    return true
  }
}
