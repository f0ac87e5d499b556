import { chmodSync, chownSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { isRoot } from '../support/user'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'
import { RemoteFailure, type User } from './remote-process'

const SECRET = 'open sesame'
const GROUP = 54_321
const [ALI, KASIM, BABA] = [20_001, 20_002, 20_003].map((uid) => ({ uid, gid: GROUP }))
const STRANGER = { uid: 20_004, gid: 54_322 }

async function refusal(starting: Promise<unknown>): Promise<string> {
  return starting.then(
    () => 'none',
    (reason) => (reason instanceof RemoteFailure ? reason.code : String(reason)),
  )
}

const namesOf = async (endpoint: RemoteEndpoint) => (await endpoint.peers()).map(({ name }) => name).sort()

describe('processes with a secret', () => {
  const bus = useBus()

  /** Exchanges events in both directions. */
  async function talk(one: RemoteEndpoint, other: RemoteEndpoint): Promise<void> {
    await one.waitUntilConnectedTo(other.name)
    await other.waitUntilConnectedTo(one.name)
    for (const [sender, receiver] of [
      [one, other],
      [other, one],
    ] as const) {
      const type = `from.${sender.name}`
      await receiver.subscribe(type)
      await sender.broadcast(type, 3)
      await receiver.untilReceived(type, 3)
    }
  }

  it('exchange events only with peers that have the same secret', async () => {
    const limits = { redialMax: 200 }
    const [ali, kasim, wrong, none] = await Promise.all([
      bus.start('ali', { secret: SECRET, limits }),
      bus.start('kasim', { secret: SECRET, limits }),
      bus.start('wrong', { secret: 'open barley', limits }),
      bus.start('none', { limits }),
    ])
    await talk(ali, kasim)
    await Promise.all([ali, kasim, wrong, none].map((endpoint) => endpoint.untilNotice('error', '')))
    const peers = await Promise.all([ali, kasim, wrong, none].map(namesOf))
    expect(peers).to.deep.equal([['kasim'], ['ali'], [], []])
    for (const endpoint of [ali, kasim, wrong, none]) {
      const causes = (await endpoint.notices()).filter(({ kind }) => kind === 'error').map(({ cause }) => cause)
      expect(new Set(causes), endpoint.name).to.deep.equal(new Set(['LAHJA_UNAUTHENTICATED']))
    }
  })

  it('G10: hold a name against each other, but not against peers without the secret', async () => {
    const ali = await bus.start('ali', { secret: SECRET })
    expect(await refusal(bus.start('ali', { secret: SECRET }))).to.equal('LAHJA_NAME_IN_USE')
    const stranger = await bus.start('kasim')
    const kasim = await bus.start('kasim', { secret: SECRET })
    await talk(ali, kasim)
    expect(await namesOf(stranger)).to.deep.equal([])
    ali.process.kill()
    await ali.process.exit
    await bus.start('ali', { secret: SECRET })
  })

  if (isRoot) {
    describe('of several users in a directory shared by their group', () => {
      beforeEach(() => {
        chownSync(bus.directory, 0, GROUP)
        chmodSync(bus.directory, 0o1770)
      })

      async function start(name: string, user: User | undefined, secret?: string): Promise<RemoteEndpoint> {
        const process = await bus.processes.participant(user)
        return bus.startIn(process, name, secret === undefined ? {} : { secret })
      }

      it('exchange events, also with root, but not with a member without the secret', async () => {
        const ali = await start('ali', ALI, SECRET)
        const kasim = await start('kasim', KASIM, SECRET)
        const root = await start('root', undefined, SECRET)
        const baba = await start('baba', BABA, 'open barley')
        await talk(ali, kasim)
        await talk(root, ali)
        await baba.untilNotice('error', '')
        expect(await namesOf(baba)).to.deep.equal([])
        expect(await namesOf(ali)).to.deep.equal(['kasim', 'root'])
      })

      it('cannot use the directory without a secret or outside the group', async () => {
        await start('ali', ALI, SECRET)
        expect(await refusal(start('kasim', KASIM))).to.equal('LAHJA_DIRECTORY_REFUSED')
        expect(await refusal(start('kasim', STRANGER, SECRET))).to.equal('LAHJA_DIRECTORY_REFUSED')
        expect(await bus.published()).to.deep.equal(['ali'])
      })

      it('G10: hold a name against another user', async () => {
        await start('ali', ALI, SECRET)
        expect(await refusal(start('ali', KASIM, SECRET))).to.equal('LAHJA_NAME_IN_USE')
      })

      it('can take the name of a dead endpoint whose file only its own user can remove', async () => {
        const ali = await start('ali', ALI, SECRET)
        ali.process.kill()
        await ali.process.exit
        const kasim = await start('ali', KASIM, SECRET)
        expect(await bus.published()).to.deep.equal(['ali', 'ali'])
        await kasim.close()
        const again = await start('ali', ALI, SECRET)
        expect(await bus.published()).to.deep.equal(['ali'])
        await again.close()
        expect(readdirSync(bus.directory)).to.deep.equal([])
      })
    })
  }
})
