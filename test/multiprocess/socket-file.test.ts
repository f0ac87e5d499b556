import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { Bus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'

const NAMES = ['one', 'three', 'two']

describe('socket files that somebody removes', () => {
  const bus = new Bus()
  let members: RemoteEndpoint[]

  beforeEach(async () => {
    await bus.open()
    members = await Promise.all(NAMES.map((name) => bus.start(name)))
    for (const member of members) await member.untilPeers(NAMES.length - 1)
  })
  afterEach(() => bus.end())

  async function expectWhole(): Promise<void> {
    await until(async () => (await published()).join() === NAMES.join())
    expect((await stat(bus.directory)).mode & 0o777).to.equal(0o700)
    const newcomer = await bus.start('newcomer')
    expect((await newcomer.peers()).map(({ name }) => name).sort()).to.deep.equal(NAMES)
    await newcomer.subscribe('tick')
    for (const member of members) expect(await member.broadcast('tick')).to.equal(1)
    await newcomer.untilReceived('tick', NAMES.length)
    for (const member of members) {
      const kinds = (await member.notices()).map(({ kind }) => kind)
      expect(kinds.filter((kind) => kind !== 'joined')).to.deep.equal([])
    }
  }

  /** Nobody publishes anything anew in between. */
  async function whileAllStandStill(act: () => Promise<void>): Promise<void> {
    for (const { process } of members) process.stop()
    await act()
    for (const { process } of members) process.continue()
  }

  /** There may be no directory for a while. */
  async function published(): Promise<string[]> {
    return bus.published().catch(() => [])
  }

  it('G9: are there again, and all found, when the whole directory has been deleted', async () => {
    await whileAllStandStill(() => rm(bus.directory, { recursive: true }))
    await expectWhole()
  })

  it('G9: are there again, and all found, when the directory has been deleted and made anew', async () => {
    await whileAllStandStill(async () => {
      await rm(bus.directory, { recursive: true })
      await mkdir(bus.directory, { mode: 0o700 })
    })
    await expectWhole()
  })

  it('G9: are each published anew by their owner, with the id it had', async () => {
    const before = (await readdir(bus.directory)).sort()
    for (const file of before) {
      await rm(join(bus.directory, file))
      await until(async () => (await readdir(bus.directory)).includes(file))
    }
    expect((await readdir(bus.directory)).sort()).to.deep.equal(before)
    await expectWhole()
  })
})
