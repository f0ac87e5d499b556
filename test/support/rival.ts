import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

/** A listener under any name that answers challenges as the test says. */
export class Rival {
  readonly challengers: Socket[] = []
  readonly #server: Server
  readonly path: string

  /**
   * @param answer called with each challenger after its first message, and with its number in the order of connections
   * @param connected called with each challenger when it connects
   */
  constructor(
    directory: string,
    name: string,
    id: string,
    answer: (challenger: Socket, count: number) => void,
    connected: (challenger: Socket) => void = () => {},
  ) {
    this.path = join(directory, `${name}~${id}.sock`)
    this.#server = createServer((socket) => {
      const count = this.challengers.push(socket)
      socket.on('error', () => {})
      connected(socket)
      socket.once('data', () => answer(socket, count))
    })
    this.#server.listen(this.path)
  }

  get openChallenges(): number {
    return this.challengers.filter(({ destroyed }) => !destroyed).length
  }

  close(): void {
    this.#server.close()
    for (const socket of this.challengers) socket.destroy()
  }
}
