import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
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
