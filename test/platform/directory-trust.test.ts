import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { SocketDirectory } from '../../src/platform/socket-directory'
import { rejection } from '../support/rejection'
import { leaveStaleSocket } from '../support/stale-socket'
import { temporaryDirectory } from '../support/temporary-directory'
import { as, isRoot, uidOf, users } from '../support/user'

/** A user who is neither root nor the ordinary user of these tests. */
const OTHER_USER = 12_345

/** Only root can; for all other users, a test's files are its own. */
function give(path: string, owner: number): void {
  if (isRoot) chownSync(path, owner, owner)
}

for (const user of users) {
  describe(`a directory opened as ${user}`, () => {
    const temporary = temporaryDirectory()
    const bus = () => join(temporary.path, 'bus')
    const uid = uidOf(user)

    beforeEach(() => give(temporary.path, uid))

    /** A directory of that user or of another one. */
    function directory(path: string, mode: number, owner = uid): void {
      mkdirSync(path)
      chmodSync(path, mode)
      give(path, owner)
    }

    const open = (path = bus(), ownParents: string[] = []) => {
      return as(user, () => new SocketDirectory(path, ownParents).open())
    }

    async function refusal(path = bus(), ownParents: string[] = []): Promise<string> {
      const error = await rejection(open(path, ownParents))
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      return error.message
    }

    it('is created with its parents, closed to all other users', async () => {
      await open(join(bus(), 'deep', 'er'))
      for (const path of [bus(), join(bus(), 'deep'), join(bus(), 'deep', 'er')]) {
        expect(lstatSync(path)).to.include({ uid })
        expect(lstatSync(path).mode & 0o7777).to.equal(0o700)
      }
    })

    it('is accepted if it exists and belongs to that user only', async () => {
      directory(bus(), 0o700)
      await open()
    })

    it('is refused and not changed if it is a file', async () => {
      writeFileSync(bus(), 'precious')
      expect(await refusal()).to.contain('is not a directory')
      expect(lstatSync(bus()).size).to.equal(8)
    })

    it('is refused if it is a link to a valid directory or to a file, or a dangling link', async () => {
      directory(join(temporary.path, 'real'), 0o700)
      writeFileSync(join(temporary.path, 'file'), '')
      const before = readdirSync(temporary.path)
      for (const target of ['real', 'file', 'nowhere']) {
        const link = join(temporary.path, `to-${target}`)
        symlinkSync(join(temporary.path, target), link)
        await refusal(link)
      }
      expect(readdirSync(temporary.path).filter((name) => !name.startsWith('to-'))).to.deep.equal(before)
    })

    if (isRoot) {
      it('is refused if it belongs to another user or to root', async () => {
        for (const owner of [OTHER_USER, uid === 0 ? uidOf('an ordinary user') : 0]) {
          const path = join(temporary.path, `${owner}`)
          directory(path, 0o700, owner)
          expect(await refusal(path)).to.equal(
            `${path}: is owned by user ${owner}, not by you (${uid}); chown it, or use a subdirectory, which is created for you`,
          )
        }
      })

      it('is refused with what to set if its default place belongs to another user', async () => {
        directory(bus(), 0o700, OTHER_USER)
        expect(await refusal(join(bus(), 'default'), [bus()])).to.equal(
          `${bus()}: is owned by user ${OTHER_USER}, not by you (${uid}); set the option \`directory\` or the variable LAHJA_DIRECTORY to a directory of your own`,
        )
      })
    } else {
      it('is refused if it belongs to another user', async () => {
        expect(await refusal('/')).to.match(/is owned by user \d+, not by you \(\d+\)/)
      })
    }

    for (const mode of [0o701, 0o702, 0o704, 0o710, 0o720, 0o740, 0o770, 0o777, 0o1770, 0o1777, 0o2770]) {
      it(`is refused with mode ${mode.toString(8)}, which lets other users in`, async () => {
        directory(bus(), mode)
        expect(await refusal())
          .to.contain('which lets other users in; chmod it to 0700')
          .and.contain(', or use a subdirectory, which is created so')
      })
    }

    for (const mode of [0o000, 0o300, 0o500, 0o600]) {
      it(`is refused with mode ${mode.toString(8)}, which keeps its owner out`, async () => {
        directory(bus(), mode)
        expect(await refusal()).to.contain('which keeps its owner out')
      })
    }

    for (const mode of [0o755, 0o777, 0o1777]) {
      it(`is refused if its own parent has mode ${mode.toString(8)}`, async () => {
        directory(bus(), mode)
        expect(await refusal(join(bus(), 'default'), [bus()])).to.contain(
          `${bus()}: has mode ${mode.toString(8).padStart(4, '0')}`,
        )
        expect(readdirSync(bus())).to.deep.equal([])
      })
    }

    it('is refused if its own parent is a link', async () => {
      directory(join(temporary.path, 'real'), 0o700)
      symlinkSync(join(temporary.path, 'real'), bus())
      expect(await refusal(join(bus(), 'default'), [bus()])).to.contain(
        `${bus()}: is a symbolic link; set the option \`directory\` or the variable LAHJA_DIRECTORY`,
      )
    })

    it('cannot be created below a file, and the error says why', async () => {
      writeFileSync(bus(), '')
      expect(await refusal(join(bus(), 'deep'))).to.contain('ENOTDIR')
    })

    if (uid !== 0) {
      it('cannot be created without write permission, and the error says why', async () => {
        directory(bus(), 0o500)
        expect(await refusal(join(bus(), 'deep'))).to.contain('EACCES')
      })
    }
  })
}

for (const user of users) {
  describe(`a directory that a group may share, opened as ${user}`, () => {
    const temporary = temporaryDirectory()
    const bus = () => join(temporary.path, 'bus')
    const uid = uidOf(user)

    beforeEach(() => give(temporary.path, uid))

    function directory(path: string, mode: number, owner = uid, group = owner): void {
      mkdirSync(path)
      if (isRoot) chownSync(path, owner, group)
      chmodSync(path, mode)
    }

    const shared = (path = bus(), ownParents: string[] = []) => new SocketDirectory(path, ownParents, true)
    const refusal = async (path = bus(), ownParents: string[] = []) => {
      const error = await rejection(as(user, () => shared(path, ownParents).open()))
      expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
      return error.message
    }

    /** Publishes an address, and returns the mode and group of its file. */
    async function published(location: SocketDirectory) {
      return as(user, async () => {
        await location.open()
        const self = { name: 'shop', id: '0000000000abc' }
        const listener = await location.publish(self, (connection) => connection.destroy())
        const stats = lstatSync(join(location.location, 'shop~0000000000abc.sock'))
        const dialled = await location.dial(self)
        if (dialled.kind === 'connected') dialled.connection.destroy()
        await listener.withdraw()
        return { mode: stats.mode & 0o777, gid: stats.gid, dialled: dialled.kind }
      })
    }

    it('is created closed to the group', async () => {
      const { mode } = await published(shared())
      expect(lstatSync(bus()).mode & 0o7777).to.equal(0o700)
      expect(mode & 0o020).to.equal(0)
    })

    it('lets only members of the group connect to its sockets', async () => {
      directory(bus(), 0o1770)
      expect(await published(shared())).to.deep.equal({ mode: 0o660, gid: lstatSync(bus()).gid, dialled: 'connected' })
    })

    for (const mode of [0o1770, 0o3770, 0o750, 0o710, 0o700]) {
      it(`is accepted with mode ${mode.toString(8)}`, async () => {
        directory(bus(), mode)
        await as(user, () => shared().open())
      })
    }

    for (const mode of [0o770, 0o2770, 0o730]) {
      it(`is refused with mode ${mode.toString(8)}, which lets members replace each other's sockets`, async () => {
        directory(bus(), mode)
        expect(await refusal()).to.contain("lets members of its group replace each other's sockets")
      })
    }

    if (isRoot && user !== 'root') {
      it('is refused with what its owner has to do, if it belongs to root', async () => {
        directory(bus(), 0o1777, 0)
        expect(await refusal()).to.contain(
          'let its owner, user 0, chmod it to 0700, or to 1770 to share it with its group, or use a directory of your own',
        )
      })
    }

    for (const mode of [0o1777, 0o1771, 0o1774, 0o705, 0o777]) {
      it(`is refused with mode ${mode.toString(8)}, which lets other users in`, async () => {
        directory(bus(), mode)
        expect(await refusal())
          .to.contain('lets other users in')
          .and.contain(
            'chmod it to 0700, or to 1770 to share it with its group, or use a subdirectory, which is created so',
          )
      })
    }

    it('is refused if its own parent is shared', async () => {
      directory(bus(), 0o1770)
      expect(await refusal(join(bus(), 'default'), [bus()])).to.contain(`${bus()}: has mode 1770`)
    })

    it('is refused if it is a link to a valid directory', async () => {
      directory(join(temporary.path, 'real'), 0o1770)
      symlinkSync(join(temporary.path, 'real'), bus())
      expect(await refusal()).to.contain('is a symbolic link')
    })

    if (isRoot) {
      it('is refused if it belongs to another user, but not to root', async () => {
        directory(bus(), 0o1770, OTHER_USER, uid)
        expect(await refusal()).to.contain(`is owned by user ${OTHER_USER}, not by you (${uid}) or root`)
        directory(join(temporary.path, 'of-root'), 0o1770, 0, uid)
        await as(user, () => shared(join(temporary.path, 'of-root')).open())
      })

      it('opens beside dead sockets of other users, which only their owners remove', async () => {
        directory(bus(), 0o1770, 0, uid)
        const files = ['peer~0000000000abc.sock', '0000000000old.new']
        for (const file of files) {
          const path = join(bus(), file)
          leaveStaleSocket(path)
          chownSync(path, OTHER_USER, OTHER_USER)
          chmodSync(path, 0o777)
          utimesSync(path, 0, 0)
        }
        const location = shared()
        const address = { name: 'peer', id: '0000000000abc' }
        await as(user, async () => {
          await location.open()
          expect(await location.dial(address)).to.deep.equal({ kind: 'dead' })
          await location.remove(address)
        })
        expect(readdirSync(bus()).sort()).to.deep.equal(uid === 0 ? [] : [...files].sort())
      })

      it('says which socket this user may not dial', async () => {
        directory(bus(), 0o1770, 0, uid)
        const path = join(bus(), 'peer~0000000000abc.sock')
        const server = createServer()
        await new Promise<void>((resolve) => server.listen(path, resolve))
        chownSync(path, OTHER_USER, OTHER_USER)
        chmodSync(path, 0o600)
        const outcome = await as(user, () => shared().dial({ name: 'peer', id: '0000000000abc' }))
        server.close()
        if (outcome.kind === 'connected') outcome.connection.destroy()
        expect(outcome.kind).to.equal(uid === 0 ? 'connected' : 'denied')
        if (outcome.kind !== 'denied') return
        expect(outcome.cause).to.include({ code: 'LAHJA_DIRECTORY_REFUSED' })
        expect(outcome.cause.message).to.contain(path).and.contain("can't be dialled (connect EACCES")
      })

      it('marks a socket of another user as foreign', async () => {
        directory(bus(), 0o1770, 0, uid)
        const path = join(bus(), 'peer~0000000000abc.sock')
        const server = createServer()
        await new Promise<void>((resolve) => server.listen(path, resolve))
        chmodSync(path, 0o777)
        const foreign: unknown[] = []
        for (const owner of [uid, 0, OTHER_USER]) {
          chownSync(path, owner, owner)
          const socket = await as(user, () => shared().inspect({ name: 'peer', id: '0000000000abc' }))
          foreign.push(socket?.isForeign)
        }
        server.close()
        expect(foreign).to.deep.equal([false, false, true])
      })
    }
  })
}
