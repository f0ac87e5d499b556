import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
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
import { Endpoint } from '../../src'
import type { LahjaError } from '../../src/model/errors'
import { SocketDirectory } from '../../src/platform/socket-directory'
import type { Connection, DialOutcome } from '../../src/platform/transport'
import { rejection, rejectionCode } from '../support/rejection'
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

  /** The error with which a directory is refused. */
  async function refusal(path = bus(), ownParents: readonly string[] = []): Promise<LahjaError> {
    const error = await rejection(new SocketDirectory(path, ownParents).open())
    expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
    return error
  }

  /** A directory of this mode. */
  function make(mode: number): void {
    mkdirSync(bus())
    chmodSync(bus(), mode)
  }

  async function openDirectory(): Promise<SocketDirectory> {
    const directory = new SocketDirectory(bus())
    await directory.open()
    return directory
  }

  describe('open', () => {
    it('creates the directory and its parents, closed to all other users', async () => {
      await new SocketDirectory(join(bus(), 'deep'), [bus()]).open()
      for (const path of [bus(), join(bus(), 'deep')]) expect(lstatSync(path).mode & 0o777).to.equal(0o700)
    })

    it('says where a default directory that cannot be created comes from', async () => {
      mkdirSync(bus())
      const file = join(bus(), 'file')
      writeFileSync(file, '')
      const parent = join(file, 'lahja')
      const error = await rejection(new SocketDirectory(join(parent, 'default'), [parent]).open())
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(error.message).to.contain("lahja: can't be created (ENOTDIR: ")
      expect(error.message).to.contain('it is below the variable XDG_RUNTIME_DIR, or else the temporary directory')
      expect(error.message).to.contain('set the option `directory` or the variable LAHJA_DIRECTORY')
    })

    it('accepts an existing directory', async () => {
      mkdirSync(bus(), { mode: 0o700 })
      await new SocketDirectory(bus()).open()
    })

    for (const mode of [0o770, 0o705, 0o750, 0o711]) {
      it(`refuses a directory of mode ${mode.toString(8)}, which lets other users in`, async () => {
        make(mode)
        expect((await refusal()).message)
          .to.contain(bus())
          .and.contain(`has mode 0${mode.toString(8)}, which lets other users in; chmod it to 0700`)
      })
    }

    it('refuses a directory that its owner cannot read', async () => {
      make(0o300)
      expect((await refusal()).message).to.equal(
        `${bus()}: has mode 0300, which keeps its owner out; chmod it to 0700, or use a subdirectory, which is created so`,
      )
    })

    it('refuses a symbolic link, even to a valid directory', async () => {
      mkdirSync(join(temporary.path, 'real'), { mode: 0o700 })
      symlinkSync(join(temporary.path, 'real'), bus())
      expect((await refusal()).message).to.equal(`${bus()}: is a symbolic link; use the directory that it points to`)
    })

    it('refuses a dangling link and does not create its target', async () => {
      symlinkSync(join(temporary.path, 'nowhere'), bus())
      expect(await rejection(new SocketDirectory(bus()).open())).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(existsSync(join(temporary.path, 'nowhere'))).to.equal(false)
    })

    it('refuses a file', async () => {
      writeFileSync(bus(), '')
      expect((await refusal()).message).to.equal(`${bus()}: is not a directory; choose another path`)
    })

    it('fails with the cause if the directory cannot be created', async () => {
      writeFileSync(join(temporary.path, 'file'), '')
      const error = await refusal(join(temporary.path, 'file', 'bus'))
      expect(error.message).to.match(/: can't be created \(ENOTDIR.+\); choose another directory$/)
      expect(error.cause).to.have.property('code', 'ENOTDIR')
    })

    it('checks its own parents by the same rules', async () => {
      make(0o777)
      expect((await refusal(join(bus(), 'inner'), [bus()])).message).to.contain(`${bus()}: has mode 0777`)
    })

    // Only root can give a directory away; for all other users, the root of the file system has another owner.
    it("refuses another user's directory", async () => {
      const path = isRoot ? bus() : '/'
      if (isRoot) {
        mkdirSync(path, { mode: 0o700 })
        chownSync(path, 12345, 12345)
      }
      expect((await refusal(path)).message).to.match(
        /: is owned by user \d+, not by you \(\d+\); chown it, or use a subdirectory, which is created for you$/,
      )
    })

    it('removes sockets that crashed processes left unpublished, but no fresh ones', async () => {
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
      directory = await openDirectory()
    })

    it('publishes the address under its final name while it listens', async () => {
      const listener = await published(directory)
      expect(readdirSync(bus())).to.deep.equal(['shop~0000000000abc.sock'])
      expect(await directory.scan()).to.deep.equal([SELF])
      expect(destroyed(await directory.dial(SELF))).to.equal('connected')
      await listener.withdraw()
      expect(readdirSync(bus())).to.deep.equal([])
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })

    it('says by how many bytes a path is too long, and creates no socket', async () => {
      const limit = process.platform === 'linux' ? 107 : 103
      const location = join(temporary.path, 'x'.repeat(limit))
      mkdirSync(location, { mode: 0o700 })
      const over = Buffer.byteLength(join(location, 'shop~0000000000abc.sock')) - limit
      const error = await rejection(() => new SocketDirectory(location).publish(SELF, () => {}))
      expect(error).to.include({ code: 'LAHJA_PATH_TOO_LONG' })
      expect(error.message).to.contain(`${over} more than a socket path may have (${limit})`)
      expect(readdirSync(location)).to.deep.equal([])
    })

    it('creates no directory if the path of the socket in it is too long', async () => {
      const location = join(temporary.path, 'new', 'x'.repeat(100))
      expect(await rejectionCode(new SocketDirectory(location).open(SELF))).to.equal('LAHJA_PATH_TOO_LONG')
      expect(await rejectionCode(Endpoint.start({ name: 'shop', directory: location }))).to.equal('LAHJA_PATH_TOO_LONG')
      expect(existsSync(join(temporary.path, 'new'))).to.equal(false)
    })

    it('limits the bytes of a path, not its characters', async () => {
      const location = join(temporary.path, 'ä'.repeat(40))
      mkdirSync(location, { mode: 0o700 })
      expect(await rejectionCode(() => new SocketDirectory(location).publish(SELF, () => {}))).to.equal(
        'LAHJA_PATH_TOO_LONG',
      )
    })

    it('detects that its file was removed or replaced, and can publish again', async () => {
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

    it('does not remove a file that replaced its own', async () => {
      const listener = await published(directory)
      const path = join(bus(), 'shop~0000000000abc.sock')
      rmSync(path)
      writeFileSync(path, 'precious')
      await listener.withdraw()
      expect(existsSync(path)).to.equal(true)
    })

    it('leaves no file if it is withdrawn while it publishes again', async () => {
      for (let round = 0; round < 50; round++) {
        const listener = await published(directory)
        await Promise.all([listener.republish(), listener.withdraw()])
        await listener.republish()
        expect(readdirSync(bus())).to.deep.equal([])
      }
    })

    it('fails with the cause if it cannot listen', async () => {
      rmSync(bus(), { recursive: true })
      const error = await rejection(directory.publish(SELF, () => {}))
      expect(error).to.include({ code: 'LAHJA_CONNECTION_FAILED' })
      expect(error.message)
        .to.match(/^can't listen at /)
        .and.contain(
          '; set the option `directory` or the variable LAHJA_DIRECTORY to a directory in which you can create',
        )
      expect(error.cause).to.be.instanceOf(Error)
    })
  })

  describe('dial', () => {
    let directory: SocketDirectory
    const path = () => join(bus(), 'shop~0000000000abc.sock')
    beforeEach(async () => {
      directory = await openDirectory()
    })

    it('finds no socket if there is no file', async () => {
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })

    it('takes a refused dial as proof of death, after which the file can be removed', async () => {
      leaveStaleSocket(path())
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'dead' })
      await directory.remove(SELF)
      await directory.remove(SELF)
      expect(readdirSync(bus())).to.deep.equal([])
    })

    it('does not mistake a regular file for a dead socket', async () => {
      writeFileSync(path(), '')
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })

    it('does not follow a symbolic link to a socket', async () => {
      const elsewhere = join(temporary.path, 'elsewhere')
      const server: Server = createServer()
      await new Promise<void>((resolve) => server.listen(elsewhere, resolve))
      opened.push(server)
      symlinkSync(elsewhere, path())
      expect(await directory.dial(SELF)).to.deep.equal({ kind: 'absent' })
    })
  })

  describe('inspect', () => {
    it('shows which addresses are links of one socket, and that there is none', async () => {
      const directory = await openDirectory()
      await published(directory)
      const [link, other] = [
        { name: 'link', id: '0000000000abd' },
        { name: 'other', id: '0000000000abe' },
      ]
      linkSync(join(bus(), 'shop~0000000000abc.sock'), join(bus(), 'link~0000000000abd.sock'))
      leaveStaleSocket(join(bus(), 'other~0000000000abe.sock'))
      const [socket, linked, stale] = await Promise.all(
        [SELF, link, other].map((address) => directory.inspect(address)),
      )
      expect(linked).to.deep.equal(socket).and.include({ isForeign: false })
      expect(stale?.key).to.not.equal(socket?.key)
      expect(await directory.inspect({ ...SELF, name: 'nobody' })).to.equal(undefined)
    })
  })

  describe('scan', () => {
    it('ignores files that are not addresses', async () => {
      const directory = await openDirectory()
      for (const file of ['notes.txt', 'shop.sock', 'shop~abc.sock', '~0000000000abc.sock', '.x~0000000000abc.sock']) {
        writeFileSync(join(bus(), file), '')
      }
      expect(await directory.scan()).to.deep.equal([])
    })

    it('fails with the cause if the directory was removed', async () => {
      const error = await rejection(new SocketDirectory(bus()).scan())
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      expect(error.cause).to.have.property('code', 'ENOENT')
    })
  })

  describe('watch', () => {
    it('reports a change', async () => {
      const directory = await openDirectory()
      const changed = new Promise<void>((resolve) => {
        const watch = directory.watch(resolve)
        opened.push({ close: () => watch.stop() })
      })
      writeFileSync(join(bus(), 'x'), '')
      await changed
    })

    it('does nothing if the directory cannot be watched', () => {
      new SocketDirectory(bus()).watch(() => {}).stop()
    })
  })
})
