import type { Socket } from 'node:net'
import type { ReadBuffer } from './read-buffer'
import type { Connection, ConnectionEvents } from './transport'

/** A connection over a Unix domain socket. */
export class SocketConnection implements Connection {
  readonly #socket: Socket
  readonly #reads: ReadBuffer | undefined
  #error: Error | undefined

  /**
   * @param socket with `allowHalfOpen`, so that we can still write after the peer has ended its side
   * @param reads what it reads into, if it has an `onread`; it must be paused then
   */
  constructor(socket: Socket, reads?: ReadBuffer) {
    this.#socket = socket
    this.#reads = reads
    // The listener keeps the process alive.
    socket.unref()
    socket.on('error', (error) => {
      this.#error = error
    })
  }

  attach({ data, end, closed }: ConnectionEvents): void {
    const socket = this.#socket
    socket.on('end', end)
    socket.on('close', () => closed(this.#error))
    if (!this.#reads) return void socket.on('data', data)
    this.#reads.data = data
    socket.resume()
  }

  write(chunks: readonly Uint8Array[], done: () => void): boolean {
    const socket = this.#socket
    const last = chunks.length - 1
    if (last > 0) socket.cork()
    for (let index = 0; index < last; index++) socket.write(chunks[index] ?? '')
    let hasLeft = false
    // If another operation got the error of a reset, this one is called back without one; its bytes are lost too.
    socket.write(chunks[last] ?? '', (error) => hasLeft || error || socket.destroyed || done())
    if (last > 0) socket.uncork()
    hasLeft = socket.writableLength === 0 && !socket.errored && !socket.destroyed
    return hasLeft
  }

  end(): void {
    this.#socket.end()
  }

  linger(timeout: number): void {
    const socket = this.#socket
    socket.destroySoon()
    // A pending write keeps the process alive, although the socket is unreferenced.
    socket.setTimeout(timeout, () => socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
