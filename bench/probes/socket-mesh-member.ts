import { readdirSync, renameSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
// Loaded as by the other processes.
import 'lahja'

/** The least effort for a full mesh: each process dials the earlier ones, and they exchange names. */
async function main(): Promise<void> {
  const [directory = '', name = '', ...others] = process.argv.slice(2)
  const missing = new Set(others)
  const meet = (socket: Socket) => {
    socket.write(`${name}\n`)
    createInterface(socket).once('line', (peer) => {
      missing.delete(peer)
      if (missing.size === 0) process.send?.('ready')
    })
  }
  const server = createServer(meet)
  await new Promise<void>((resolve) => server.listen(join(directory, `${name}.new`), resolve))
  renameSync(join(directory, `${name}.new`), join(directory, name))
  for (const peer of readdirSync(directory)) if (missing.has(peer)) meet(connect(join(directory, peer)))
  process.once('disconnect', () => process.exit())
}

void main()
