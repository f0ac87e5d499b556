import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { ReadBuffer } from '../../src/platform/read-buffer'
import { SocketConnection } from '../../src/platform/socket-connection'
import { temporaryDirectory } from '../support/temporary-directory'

/** More than the kernel buffers for a peer that does not read. */
const MUCH = Buffer.alloc(4 * 1024 * 1024, 7)

describe('a connection that lingers', () => {
  const directory = temporaryDirectory()
  let end = () => {}
  afterEach(() => end())

  /** A connection and its other end, which does not read yet. */
  async function pair(): Promise<{ connection: SocketConnection; closed: Promise<void>; peer: Socket }> {
    const server = createServer({ pauseOnConnect: true })
    const path = join(directory.path, 'peer.sock')
    server.listen(path)
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const connection = new SocketConnection(connect({ path, allowHalfOpen: true }))
    const [peer] = await accepted
    end = () => {
      peer.destroy()
      connection.destroy()
      server.close()
    }
    const closed = new Promise<void>((resolve) => {
      connection.attach({ data: () => {}, end: () => {}, closed: () => resolve() })
    })
    return { connection, closed, peer }
  }

  it('ends when everything written has been read', async () => {
    const { connection, closed, peer } = await pair()
    connection.write([MUCH], () => {})
    connection.linger(60_000)
    let bytes = 0
    peer.on('data', (chunk) => {
      bytes += chunk.length
    })
    peer.resume()
    await Promise.all([closed, once(peer, 'end')])
    expect(bytes).to.equal(MUCH.length)
  })

  it('G12: ends after a timeout if the peer does not read, as a pending write keeps the process alive', async () => {
    const { connection, closed } = await pair()
    connection.write([MUCH], () => {})
    connection.linger(20)
    await closed
  })
})

describe('connections that share a buffer to read into', () => {
  const directory = temporaryDirectory()

  it('each get their own bytes, from the first one on, and learn of the end', async () => {
    const rounds = 50
    const server = createServer(async (peer) => {
      // Before the other end is attached.
      peer.write('first')
      const [greeting] = await once(peer, 'data')
      for (let round = 0; round < rounds; round++) {
        peer.write(`${greeting}${'.'.repeat(round * 997)}`)
        await setImmediate()
      }
      peer.end()
    })
    const path = join(directory.path, 'peer.sock')
    server.listen(path)
    await once(server, 'listening')
    const received = await Promise.all(
      ['one', 'two', 'three'].map(async (greeting) => {
        const reads = new ReadBuffer()
        const socket = connect({ path, allowHalfOpen: true, onread: reads })
        socket.pause()
        await once(socket, 'connect')
        const connection = new SocketConnection(socket, reads)
        await setImmediate()
        let text = ''
        await new Promise<void>((resolve) => {
          connection.attach({
            data: (chunk) => {
              if (text === '') connection.write([Buffer.from(greeting)], () => {})
              text += chunk.toString()
            },
            end: resolve,
            closed: () => {},
          })
        })
        connection.destroy()
        return text
      }),
    )
    server.close()
    const expected = (greeting: string) => {
      const parts = Array.from({ length: rounds }, (_, round) => `${greeting}${'.'.repeat(round * 997)}`)
      return `first${parts.join('')}`
    }
    expect(received).to.deep.equal(['one', 'two', 'three'].map(expected))
  })
})
