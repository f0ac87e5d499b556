import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'

const NAMES = ['one', 'three', 'two']

describe('removed socket files', () => {
  const bus = useBus()
  let members: RemoteEndpoint[]

  beforeEach(async () => {
    members = await Promise.all(NAMES.map((name) => bus.start(name)))
    for (const member of members) await member.untilPeers(NAMES.length - 1)
  })

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

  /** Runs the change while no endpoint can publish its file again. */
  async function whileAllStandStill(act: () => Promise<void>): Promise<void> {
    for (const { process } of members) process.stop()
    await act()
    for (const { process } of members) process.continue()
  }

  /** Like `bus.published`, but empty while there is no directory. */
  async function published(): Promise<string[]> {
    return bus.published().catch(() => [])
  }

  it('G9: are published again after the directory has been deleted', async () => {
    await whileAllStandStill(() => rm(bus.directory, { recursive: true }))
    await expectWhole()
  })

  it('G9: are published again after the directory has been deleted and recreated', async () => {
    await whileAllStandStill(async () => {
      await rm(bus.directory, { recursive: true })
      await mkdir(bus.directory, { mode: 0o700 })
    })
    await expectWhole()
  })

  it('G9: are published again by their owners with the same ids', async () => {
    const before = (await readdir(bus.directory)).sort()
    for (const file of before) {
      await rm(join(bus.directory, file))
      await until(async () => (await readdir(bus.directory)).includes(file))
    }
    expect((await readdir(bus.directory)).sort()).to.deep.equal(before)
    await expectWhole()
  })
})
