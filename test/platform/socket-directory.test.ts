import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { SocketDirectory } from '../../src/platform/socket-directory'
import type { Connection, DialOutcome } from '../../src/platform/transport'
import { rejection } from '../support/rejection'
import { leaveStaleSocket } from '../support/stale-socket'
import { temporaryDirectory } from '../support/temporary-directory'

const SELF = { name: 'shop', id: '0000000000abc' }
const isRoot = process.getuid?.() === 0

describe('SocketDirectory', () => {
  const opened: { close(): void }[] = []
  afterEach(() => {
    for (const resource of opened.splice(0)) resource.close()
  })
  const temporary = temporaryDirectory()
  const bus = () => join(temporary.path, 'bus')

  async function published(
    directory: SocketDirectory,
    accept: (connection: Connection) => void = (connection) => connection.destroy(),
  ) {
    const listener = await directory.publish(SELF, accept)
    opened.push({ close: () => void listener.withdraw() })
    return listener
  }

  function destroyed(outcome: DialOutcome): DialOutcome['kind'] {
    if (outcome.kind === 'connected') outcome.connection.destroy()
    return outcome.kind
  }

  describe('open', () => {
    it('creates the directory and its parents, closed to everyone else', async () => {
      await new SocketDirectory(join(bus(), 'deep'), [bus()]).open()
      for (const path of [bus(), join(bus(), 'deep')]) expect(lstatSync(path).mode & 0o777).to.equal(0o700)
    })

    it('takes a directory that is there already', async () => {
      mkdirSync(bus(), { mode: 0o700 })
      await new SocketDirectory(bus()).open()
    })

    for (const mode of [0o770, 0o705, 0o750, 0o711]) {
      it(`refuses a directory of mode ${mode.toString(8)}, which lets others in`, async () => {
        mkdirSync(bus())
        chmodSync(bus(), mode)
        const error = await rejection(new SocketDirectory(bus()).open())
        expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
        expect(error.message)
          .to.contain(bus())
          .and.contain(`expected mode 0700, got 0${mode.toString(8)}`)
      })
    }

    it('refuses a directory its owner cannot read', async () => {
      mkdirSync(bus())
      chmodSync(bus(), 0o300)
      const error = await rejection(new SocketDirectory(bus()).open())
      expect(error.message).to.contain('expected mode 0700, got 0300, which keeps its owner out')
    })

    it('refuses a symbolic link, even to a directory that would do', async () => {
      mkdirSync(join(temporary.path, 'real'), { mode: 0o700 })
      symlinkSync(join(temporary.path, 'real'), bus())
      const error = await rejection(new SocketDirectory(bus()).open())
      expect(error.message).to.contain('expected a directory, got a symbolic link')
    })

    it('refuses a link that leads nowhere, and does not create what it points to', async () => {
      symlinkSync(join(temporary.path, 'nowhere'), bus())
      expect(await rejection(new SocketDirectory(bus()).open())).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(existsSync(join(temporary.path, 'nowhere'))).to.equal(false)
    })

    it('refuses a file', async () => {
      writeFileSync(bus(), '')
      const error = await rejection(new SocketDirectory(bus()).open())
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(error.message).to.contain('got another kind of file')
    })

    it('refuses a place where nothing can be created, with the cause', async () => {
      writeFileSync(join(temporary.path, 'file'), '')
      const error = await rejection(new SocketDirectory(join(temporary.path, 'file', 'bus')).open())
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(error.cause).to.have.property('code', 'ENOTDIR')
    })

    it('holds its own parents to the same rules', async () => {
      mkdirSync(bus())
      chmodSync(bus(), 0o777)
      const error = await rejection(new SocketDirectory(join(bus(), 'inner'), [bus()]).open())
      expect(error.message).to.contain('expected mode 0700, got 0777')
    })

    // Only root can give a directory away; as anyone else, the root of the file system is a directory of another's.
    it("refuses another user's directory", async () => {
      const path = isRoot ? bus() : '/'
      if (isRoot) {
        mkdirSync(path, { mode: 0o700 })
        chownSync(path, 12345, 12345)
      }
      const error = await rejection(new SocketDirectory(path).open())
      expect(error.message).to.match(/expected owner \d+, got owner \d+/)
    })

    it('removes what a crash between listening and publishing has left behind, but nothing fresh', async () => {
      mkdirSync(bus(), { mode: 0o700 })
      const [old, fresh] = ['0000000000old.new', '000000000fres.new'].map((file) => join(bus(), file))
      for (const path of [old, fresh]) leaveStaleSocket(String(path))
      utimesSync(String(old), new Date(0), new Date(0))
      await new SocketDirectory(bus()).open()
      expect(readdirSync(bus())).to.deep.equal(['000000000fres.new'])
    })
  })

  describe('publish', () => {
    let directory: SocketDirectory
    beforeEach(async () => {
      directory = new SocketDirectory(bus())
      await directory.open()
    })

    it('shows the address only under its final name, and only while it listens', async () => {
      const listener = await published(directory)
      expect(readdirSync(bus())).to.deep.equal(['shop~0000000000abc.sock'])
      expect(await directory.scan()).to.deep.equal([SELF])
      expect(destroyed(await directory.dial(SELF))).to.equal('connected')
      await listener.withdraw()
      expect(readdirSync(bus())).to.deep.equal([])
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })

    it('says by how many bytes a path is too long, and binds nothing', async () => {
      const limit = process.platform === 'linux' ? 107 : 103
      const location = join(temporary.path, 'x'.repeat(limit))
      mkdirSync(location, { mode: 0o700 })
      const over = Buffer.byteLength(join(location, 'shop~0000000000abc.sock')) - limit
      const error = await rejection(() => new SocketDirectory(location).publish(SELF, () => {}))
      expect(error).to.include({ code: 'LAHJA_PATH_TOO_LONG' })
      expect(error.message).to.contain(`${over} over`)
      expect(readdirSync(location)).to.deep.equal([])
    })

    it('counts bytes, not characters', async () => {
      const location = join(temporary.path, 'ä'.repeat(40))
      mkdirSync(location, { mode: 0o700 })
      expect(await rejection(() => new SocketDirectory(location).publish(SELF, () => {}))).to.include({
        code: 'LAHJA_PATH_TOO_LONG',
      })
    })

    it('notices when its file has gone, or is not its own any more, and can publish again', async () => {
      const listener = await published(directory)
      const path = join(bus(), 'shop~0000000000abc.sock')
      expect(await listener.isPublished()).to.equal(true)
      rmSync(path)
      expect(await listener.isPublished()).to.equal(false)
      writeFileSync(path, '')
      expect(await listener.isPublished()).to.equal(false)
      rmSync(path)
      await listener.republish()
      expect(await listener.isPublished()).to.equal(true)
      expect(destroyed(await directory.dial(SELF))).to.equal('connected')
    })

    it('does not remove a file that is not its own', async () => {
      const listener = await published(directory)
      const path = join(bus(), 'shop~0000000000abc.sock')
      rmSync(path)
      writeFileSync(path, 'precious')
      await listener.withdraw()
      expect(existsSync(path)).to.equal(true)
    })

    it('leaves no file when it is withdrawn while it publishes again', async () => {
      for (let round = 0; round < 50; round++) {
        const listener = await published(directory)
        await Promise.all([listener.republish(), listener.withdraw()])
        await listener.republish()
        expect(readdirSync(bus())).to.deep.equal([])
      }
    })

    it('gives a clear error when it cannot listen', async () => {
      rmSync(bus(), { recursive: true })
      const error = await rejection(directory.publish(SELF, () => {}))
      expect(error).to.include({ code: 'LAHJA_CONNECTION_FAILED' })
      expect(error.cause).to.be.instanceOf(Error)
    })
  })

  describe('dial', () => {
    let directory: SocketDirectory
    const path = () => join(bus(), 'shop~0000000000abc.sock')
    beforeEach(async () => {
      directory = new SocketDirectory(bus())
      await directory.open()
    })

    it('finds nobody where no file is', async () => {
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })

    it('takes a refused dial for proof of death, and can bury the dead', async () => {
      leaveStaleSocket(path())
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'dead' })
      await directory.remove(SELF)
      await directory.remove(SELF)
      expect(readdirSync(bus())).to.deep.equal([])
    })

    it('does not take a regular file for a dead socket, though it refuses dials just like one', async () => {
      writeFileSync(path(), '')
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })

    it('follows no symbolic link to a socket elsewhere', async () => {
      const elsewhere = join(temporary.path, 'elsewhere')
      const server: Server = createServer()
      await new Promise<void>((resolve) => server.listen(elsewhere, resolve))
      opened.push(server)
      symlinkSync(elsewhere, path())
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })
  })

  describe('scan', () => {
    it('passes over everything that is no address', async () => {
      const directory = new SocketDirectory(bus())
      await directory.open()
      for (const file of ['notes.txt', 'shop.sock', 'shop~abc.sock', '~0000000000abc.sock', '.x~0000000000abc.sock']) {
        writeFileSync(join(bus(), file), '')
      }
      expect(await directory.scan()).to.deep.equal([])
    })

    it('refuses, with the cause, when the directory has gone', async () => {
      const error = await rejection(new SocketDirectory(bus()).scan())
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(error.cause).to.have.property('code', 'ENOENT')
    })
  })

  describe('watch', () => {
    it('hints at a change', async () => {
      const directory = new SocketDirectory(bus())
      await directory.open()
      const hinted = new Promise<void>((resolve) => {
        const watch = directory.watch(resolve)
        opened.push({ close: () => watch.stop() })
      })
      writeFileSync(join(bus(), 'x'), '')
      await hinted
    })

    it('does without when it cannot watch', () => {
      new SocketDirectory(bus()).watch(() => {}).stop()
    })
  })
})
