import { existsSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { until } from './bus'

/**
 * Called with each challenger after its first message, and with its number in the order of connections; and called with
 * each challenger when it connects.
 */
type RivalCallbacks = [answer: (challenger: Socket, count: number) => void, connected?: (challenger: Socket) => void]

/** A listener under any name that answers challenges as the test says. */
export class Rival {
  readonly challengers: Socket[] = []
  readonly #server: Server
  readonly path: string

  constructor(directory: string, name: string, id: string, ...[answer, connected = () => {}]: RivalCallbacks) {
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

/** Starts rivals for the tests of the calling suite, each with its socket file; none outlives its test. */
export function rivals(directory: () => string) {
  const started: Rival[] = []
  afterEach(() => {
    for (const rival of started.splice(0)) rival.close()
  })
  return async (name: string, id: string, ...callbacks: RivalCallbacks): Promise<Rival> => {
    const rival = new Rival(directory(), name, id, ...callbacks)
    started.push(rival)
    await until(() => existsSync(rival.path))
    return rival
  }
}
