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

/** Someone who is neither root nor the ordinary user of these tests. */
const SOMEBODY_ELSE = 12_345

/** Only root can; as anyone else, what a test makes is its own. */
function give(path: string, owner: number): void {
  if (isRoot) chownSync(path, owner, owner)
}

for (const user of users) {
  describe(`the trust in a directory, as ${user}`, () => {
    const temporary = temporaryDirectory()
    const bus = () => join(temporary.path, 'bus')
    const uid = uidOf(user)

    beforeEach(() => give(temporary.path, uid))

    /** A directory of that user's, or of another's. */
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

    it('creates what is missing, closed to everyone else', async () => {
      await open(join(bus(), 'deep', 'er'))
      for (const path of [bus(), join(bus(), 'deep'), join(bus(), 'deep', 'er')]) {
        expect(lstatSync(path)).to.include({ uid })
        expect(lstatSync(path).mode & 0o7777).to.equal(0o700)
      }
    })

    it('takes what is there, if it is its own and closed', async () => {
      directory(bus(), 0o700)
      await open()
    })

    it('refuses a file, and leaves it as it is', async () => {
      writeFileSync(bus(), 'precious')
      expect(await refusal()).to.contain('expected a directory, got another kind of file')
      expect(lstatSync(bus()).size).to.equal(8)
    })

    it('refuses a link to a directory that would do, one to a file, and one that leads nowhere', async () => {
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
      it("refuses somebody else's directory, root's among them", async () => {
        for (const owner of [SOMEBODY_ELSE, uid === 0 ? uidOf('an ordinary user') : 0]) {
          const path = join(temporary.path, `${owner}`)
          directory(path, 0o700, owner)
          expect(await refusal(path)).to.contain(`expected owner ${uid}, got owner ${owner}`)
        }
      })
    } else {
      it("refuses somebody else's directory", async () => {
        expect(await refusal('/')).to.match(/expected owner \d+, got owner \d+/)
      })
    }

    for (const mode of [0o701, 0o702, 0o704, 0o710, 0o720, 0o740, 0o770, 0o777, 0o1770, 0o1777, 0o2770]) {
      it(`refuses one of mode ${mode.toString(8)}, which lets others in`, async () => {
        directory(bus(), mode)
        expect(await refusal()).to.contain('which lets others in')
      })
    }

    for (const mode of [0o000, 0o300, 0o500, 0o600]) {
      it(`refuses one of mode ${mode.toString(8)}, which keeps its owner out`, async () => {
        directory(bus(), mode)
        expect(await refusal()).to.contain('which keeps its owner out')
      })
    }

    for (const mode of [0o755, 0o777, 0o1777]) {
      it(`holds its own parents to the same rules: refuses one of mode ${mode.toString(8)}`, async () => {
        directory(bus(), mode)
        expect(await refusal(join(bus(), 'default'), [bus()])).to.contain(`${bus()}: expected mode 0700`)
        expect(readdirSync(bus())).to.deep.equal([])
      })
    }

    it('refuses its own parent if it is a link', async () => {
      directory(join(temporary.path, 'real'), 0o700)
      symlinkSync(join(temporary.path, 'real'), bus())
      expect(await refusal(join(bus(), 'default'), [bus()])).to.contain(
        `${bus()}: expected a directory, got a symbolic`,
      )
    })

    it('cannot be had below a file, and says why', async () => {
      writeFileSync(bus(), '')
      expect(await refusal(join(bus(), 'deep'))).to.contain('ENOTDIR')
    })

    if (uid !== 0) {
      it('cannot be had where nothing may be created, and says why', async () => {
        directory(bus(), 0o500)
        expect(await refusal(join(bus(), 'deep'))).to.contain('EACCES')
      })
    }
  })
}

for (const user of users) {
  describe(`the trust in a directory that a group may share, as ${user}`, () => {
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

    /** Publishes an address, and returns what its file is like. */
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

    it('is as before where nobody shares it', async () => {
      const { mode } = await published(shared())
      expect(lstatSync(bus()).mode & 0o7777).to.equal(0o700)
      expect(mode & 0o020).to.equal(0)
    })

    it('lets the group connect to the sockets in it, and nobody else', async () => {
      directory(bus(), 0o1770)
      expect(await published(shared())).to.deep.equal({ mode: 0o660, gid: lstatSync(bus()).gid, dialled: 'connected' })
    })

    for (const mode of [0o1770, 0o3770, 0o750, 0o710, 0o700]) {
      it(`takes one of mode ${mode.toString(8)}`, async () => {
        directory(bus(), mode)
        await as(user, () => shared().open())
      })
    }

    for (const mode of [0o770, 0o2770, 0o730]) {
      it(`refuses one of mode ${mode.toString(8)}, where one member could replace the socket of another`, async () => {
        directory(bus(), mode)
        expect(await refusal()).to.contain("lets the group's members replace each other's sockets")
      })
    }

    for (const mode of [0o1777, 0o1771, 0o1774, 0o705, 0o777]) {
      it(`refuses one of mode ${mode.toString(8)}, which lets others in`, async () => {
        directory(bus(), mode)
        expect(await refusal())
          .to.contain('expected mode 0700 or 1770')
          .and.contain('lets others in')
      })
    }

    it('refuses a parent of its own that is shared', async () => {
      directory(bus(), 0o1770)
      expect(await refusal(join(bus(), 'default'), [bus()])).to.contain('expected mode 0700, got 1770')
    })

    it('refuses a link to one that would do', async () => {
      directory(join(temporary.path, 'real'), 0o1770)
      symlinkSync(join(temporary.path, 'real'), bus())
      expect(await refusal()).to.contain('got a symbolic link')
    })

    if (isRoot) {
      it("refuses somebody else's, but not root's", async () => {
        directory(bus(), 0o1770, SOMEBODY_ELSE, uid)
        expect(await refusal()).to.contain(`expected owner ${uid} or 0, got owner ${SOMEBODY_ELSE}`)
        directory(join(temporary.path, 'of-root'), 0o1770, 0, uid)
        await as(user, () => shared(join(temporary.path, 'of-root')).open())
      })

      it('leaves dead sockets of other users to these, and is not stopped by them', async () => {
        directory(bus(), 0o1770, 0, uid)
        const files = ['peer~0000000000abc.sock', '0000000000old.new']
        for (const file of files) {
          const path = join(bus(), file)
          leaveStaleSocket(path)
          chownSync(path, SOMEBODY_ELSE, SOMEBODY_ELSE)
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

      it('tells whose socket it is that may be silent', async () => {
        directory(bus(), 0o1770, 0, uid)
        const path = join(bus(), 'peer~0000000000abc.sock')
        const server = createServer()
        await new Promise<void>((resolve) => server.listen(path, resolve))
        chmodSync(path, 0o777)
        const foreign: unknown[] = []
        for (const owner of [uid, 0, SOMEBODY_ELSE]) {
          chownSync(path, owner, owner)
          const outcome = await as(user, () => shared().dial({ name: 'peer', id: '0000000000abc' }))
          if (outcome.kind === 'connected') outcome.connection.destroy()
          foreign.push('isForeign' in outcome && outcome.isForeign)
        }
        server.close()
        expect(foreign).to.deep.equal([false, false, true])
      })
    }
  })
}
