import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

/** Something that listens under a name of its own choice, and answers challenges as it is told. */
export class Rival {
  readonly challengers: Socket[] = []
  readonly #server: Server
  readonly path: string

  /**
   * @param answer hears of each challenger once that has said something, and the how manieth to connect it was
   * @param connected hears of each challenger, before that has said anything
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
