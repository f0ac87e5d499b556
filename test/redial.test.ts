import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { encodeMessage } from '../src/codec'
import type { Message } from '../src/message'
import { freshBus, until } from './bus'
import { Rival } from './rival'

const HELLO: Message = {
  kind: 'hello',
  versions: [1, 1],
  name: 'bad',
  id: '0000000000000',
  groups: [],
  pid: 1,
  frameLimit: 2 ** 20,
  window: 2 ** 20,
  requestLimit: 1024,
}

describe('a peer that comes up and then breaks the rules', () => {
  const peers: Rival[] = []
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close()
  })
  const bus = freshBus()

  it('is not dialled again and again', async () => {
    const bad = new Rival(bus.directory, 'bad', '0000000000000', (dialler) => {
      for (const message of [HELLO, { kind: 'ready' }, HELLO] as const) dialler.write(encodeMessage(message).bytes)
    })
    peers.push(bad)
    await until(() => existsSync(bad.path))
    const a = await bus.start('a', { limits: { redialMin: 1, redialMax: 60_000, rescan: 5 } })
    await until(() => bad.openChallenges === 0)
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      const other = await bus.start(name, { limits: { redialMax: 60_000 } })
      await a.waitUntilConnectedTo(name)
      await other.close()
    }
    expect(bad.challengers.length, 'one dial by each').to.equal(6)
  })
})
