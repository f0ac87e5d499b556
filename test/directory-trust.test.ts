import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { SocketDirectory } from '../src/socket-directory'
import { rejection } from './rejection'
import { temporaryDirectory } from './temporary-directory'
import { as, isRoot, uidOf, users } from './user'

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
