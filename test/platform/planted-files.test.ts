import { execFileSync } from 'node:child_process'
import { lstatSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { SocketDirectory } from '../../src/platform/socket-directory'
import { freshBus, until } from '../support/bus'
import { temporaryDirectory } from '../support/temporary-directory'

/** Files that another user may put into the directory under the name of a socket. */
const PLANTS: Readonly<Record<string, (path: string, elsewhere: string) => void>> = {
  'a link to a socket': (path, elsewhere) => symlinkSync(join(elsewhere, 'socket'), path),
  'a link to a file': (path, elsewhere) => symlinkSync(join(elsewhere, 'file'), path),
  'a link to a directory': (path, elsewhere) => symlinkSync(elsewhere, path),
  'a link to nowhere': (path, elsewhere) => symlinkSync(join(elsewhere, 'nowhere'), path),
  'a file': (path) => writeFileSync(path, 'precious'),
  'a fifo': (path) => execFileSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
}

/** Makes a path a socket and a link to another socket in turns. */
const SWAPPING = `
  const { linkSync, renameSync, symlinkSync } = require('node:fs')
  const { workerData: { path, socket, elsewhere }, parentPort } = require('node:worker_threads')
  for (let swaps = 1; ; swaps++) {
    symlinkSync(elsewhere, path + '.next')
    renameSync(path + '.next', path)
    linkSync(socket, path + '.next')
    renameSync(path + '.next', path)
    if (swaps === 100) parentPort.postMessage('swapping')
  }
`

/** The visible state of a file, without following links and without its access time. */
function stateOf(path: string): unknown {
  const { ino, mode, uid, gid, size, mtimeMs, ctimeMs, nlink } = lstatSync(path)
  return { ino, mode, uid, gid, size, mtimeMs, ctimeMs, nlink }
}

describe('a file planted in the directory', () => {
  const servers: Server[] = []
  const workers: Worker[] = []
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
    // Removes the file of its socket, which the worker links to.
    for (const server of servers.splice(0)) server.close()
  })
  const elsewhere = temporaryDirectory()
  const bus = freshBus()
  let visitors = 0

  beforeEach(async () => {
    visitors = 0
    await listen(join(elsewhere.path, 'socket'), () => visitors++)
    writeFileSync(join(elsewhere.path, 'file'), 'precious')
  })

  async function listen(path: string, visited: () => void): Promise<void> {
    const server = createServer((socket) => {
      visited()
      socket.destroy()
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(path, resolve))
  }

  for (const [what, plant] of Object.entries(PLANTS)) {
    it(`is not dialled, removed or changed, and blocks no endpoint, if it is ${what}`, async () => {
      const names = ['peer~0000000000abc.sock', 'shop~0000000000000.sock', '0000000000old.new']
      const paths = names.map((name) => join(bus.directory, name))
      for (const path of paths) {
        plant(path, elsewhere.path)
        lutimesSync(path, 0, 0)
      }
      const states = () => [...paths, join(elsewhere.path, 'socket'), join(elsewhere.path, 'file')].map(stateOf)
      const before = states()

      const { shop, till } = await bus.startEach({
        shop: { limits: { rescanInterval: 2, redialMin: 1, redialMax: 2 } },
        till: {},
      })
      await till.close()
      await shop.close()

      expect(states()).to.deep.equal(before)
      expect(readdirSync(bus.directory).sort()).to.deep.equal([...names].sort())
      expect(visitors).to.equal(0)
    })

    it(`is not removed with a dead peer if it is ${what}`, async () => {
      const path = join(bus.directory, 'peer~0000000000abc.sock')
      plant(path, elsewhere.path)
      const before = stateOf(path)
      await new SocketDirectory(bus.directory).remove({ name: 'peer', id: '0000000000abc' })
      expect(stateOf(path)).to.deep.equal(before)
    })
  }

  // Other systems have no descriptors of socket files, so that the owner of a file can win this race in a shared directory.
  if (process.platform === 'linux') {
    it('is not followed if it becomes a link between the check and the dial', async () => {
      const socket = join(bus.directory, 'socket')
      await listen(socket, () => {})
      const path = join(bus.directory, 'peer~0000000000abc.sock')
      const workerData = { path, socket, elsewhere: join(elsewhere.path, 'socket') }
      const worker = new Worker(SWAPPING, { eval: true, workerData })
      workers.push(worker)
      let isSwapping = false
      worker.once('message', () => {
        isSwapping = true
      })
      await until(() => isSwapping)

      const directory = new SocketDirectory(bus.directory, [], true)
      const outcomes: Record<string, number> = {}
      // The worker may get no time for a while.
      for (let dials = 0; dials < 2000 || Object.keys(outcomes).length < 2; dials++) {
        const outcome = await directory.dial({ name: 'peer', id: '0000000000abc' })
        if (outcome.kind === 'connected') outcome.connection.destroy()
        outcomes[outcome.kind] = (outcomes[outcome.kind] ?? 0) + 1
      }
      expect(outcomes).to.have.all.keys('connected', 'absent')
      expect(visitors).to.equal(0)
    })
  }
})
