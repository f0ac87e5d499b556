import type { Socket } from 'node:net'
import type { Connection, ConnectionEvents } from './transport'

/** A connection over a Unix domain socket. */
export class SocketConnection implements Connection {
  readonly #socket: Socket
  #error: Error | undefined

  /** @param socket with `allowHalfOpen`, so that the end of what the peer sends doesn't end what we send */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', (error) => {
      this.#error = error
    })
  }

  attach({ data, end, closed }: ConnectionEvents): void {
    this.#socket.on('data', data)
    this.#socket.on('end', end)
    this.#socket.on('close', () => closed(this.#error))
  }

  write(chunks: readonly Uint8Array[], done: () => void): boolean {
    const socket = this.#socket
    const last = chunks.length - 1
    if (last > 0) socket.cork()
    for (let index = 0; index < last; index++) socket.write(chunks[index] ?? '')
    let hasLeft = false
    // A reset calls back without an error where another operation has got it: what was written then is lost too.
    socket.write(chunks[last] ?? '', (error) => hasLeft || error || socket.destroyed || done())
    if (last > 0) socket.uncork()
    hasLeft = socket.writableLength === 0 && !socket.errored && !socket.destroyed
    return hasLeft
  }

  end(): void {
    this.#socket.end()
  }

  linger(limit: number): void {
    const socket = this.#socket
    socket.unref()
    socket.destroySoon()
    // What is being written keeps the process alive whatever the socket does.
    socket.setTimeout(limit, () => socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
