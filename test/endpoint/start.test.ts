import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { Endpoint } from '../../src/endpoint'
import { settingsOf } from '../../src/options'
import type { Address } from '../../src/platform/address'
import { type Clock, systemClock } from '../../src/platform/clock'
import { SocketDirectory } from '../../src/platform/socket-directory'
import type { Message } from '../../src/wire/message'
import { freshBus, until } from '../support/bus'
import { helloFields, type RawPeer, rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'

const ROUNDS = 30

/** Ids that sort before any generated one. */
const IDS = { peer: '0000000000000', slow: '0000000000001', one: '0000000000002' }

const READY: Message = { kind: 'ready' }

const hello = (name: keyof typeof IDS) => helloFields({ name, id: IDS[name] })

/** A directory whose first scan waits until it holds two endpoints. */
class Rendezvous extends SocketDirectory {
  #isFirst = true

  override async scan(): Promise<Address[]> {
    let addresses = await super.scan()
    while (this.#isFirst && addresses.length < 2) {
      await setImmediate()
      addresses = await super.scan()
    }
    this.#isFirst = false
    return addresses
  }
}

describe('new Endpoint', () => {
  it('is refused with what to write instead', async () => {
    for (const args of [[], [{ name: 'shop' }], ['shop', { bus: 'b' }], [{ name: 'shop' }, 'b']]) {
      const error = await rejection(() => Reflect.construct(Endpoint, args))
      expect(error).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(error.message).to.contain('await Endpoint.start({ name })')
    }
  })
})

describe('Endpoint.start', () => {
  const endpoints: Endpoint[] = []
  const closeAll = () => Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()))
  afterEach(closeAll)
  const raw = rawPeers()
  const bus = freshBus()

  /** Starts a peer; resolves when its socket file exists. */
  function peer(name: keyof typeof IDS, answer: (dialler: RawPeer, count: number) => void) {
    return raw.listenAndAnswer({ directory: bus.directory, name, id: IDS[name] }, answer)
  }

  /** The peer dials `one`, which prefers this connection; `answered` is called at its first answer. */
  function dialOne(answered: (own: RawPeer) => void): void {
    const [file = ''] = readdirSync(bus.directory).filter((name) => name.startsWith('one~'))
    const own = raw.dial({ directory: bus.directory, name: 'one', id: file.slice(4, -5) })
    own.socket.once('data', () => answered(own))
    own.say(hello('peer'))
  }

  it('waits for the link with a live peer, also when both dial each other', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const isLinked = async (name: string, other: string) => {
        const transport = new Rendezvous(bus.directory)
        const settings = settingsOf({ name, directory: bus.directory })
        const endpoint = await Endpoint.startIn({ transport, clock: systemClock }, settings)
        const linked = endpoint.isConnectedTo(other)
        endpoints.push(endpoint)
        return linked
      }
      expect(await Promise.all([isLinked('one', 'other'), isLinked('other', 'one')])).to.deep.equal([true, true])
      await closeAll()
    }
  })

  it('waits for a peer whose preferred dial breaks during the handshake', async () => {
    const rival = await peer('peer', (dialler, count) => {
      if (count > 1) return dialler.say(hello('peer'), READY)
      dialOne((own) => own.destroy())
    })
    const one = await bus.start('one')
    expect(one.isConnectedTo('peer')).to.equal(true)
    expect(rival.peers).to.have.length(2)
  })

  it('does not wait for a peer that violates the protocol on its preferred dial', async () => {
    await peer('peer', () => {
      dialOne((own) => own.say(hello('peer')))
    })
    const one = await bus.start('one', { limits: { redialMax: 120_000, handshakeTimeout: 120_000 } })
    expect(one.isConnectedTo('peer')).to.equal(false)
  })

  it('backs off from a peer whose own dials break during the handshake', async () => {
    const delays: number[] = []
    const after: Clock['after'] = (delay, callback) => {
      delays.push(delay)
      return systemClock.after(delay, callback)
    }
    const rival = await peer('peer', (dialler, count) => {
      if (count > 4) return dialler.say(hello('peer'), READY)
      dialOne((own) => own.destroy())
    })
    const settings = settingsOf({ name: 'one', directory: bus.directory, limits: { redialMin: 3 } })
    const transport = new SocketDirectory(bus.directory)
    endpoints.push(await Endpoint.startIn({ transport, clock: { ...systemClock, random: () => 1, after } }, settings))
    expect(rival.peers).to.have.length(5)
    expect(delays).to.include.members([3, 6, 12, 24])
  })

  it('waits again for a peer whose link it has lost meanwhile', async () => {
    const slow = await peer('slow', () => {})
    const rival = await peer('peer', (dialler, count) => {
      if (count === 1) {
        dialler.socket.once('data', () => dialler.destroy())
        return dialler.say(hello('peer'), READY)
      }
      const [other] = slow.peers
      other?.socket.once('data', () => dialler.say(hello('peer'), READY))
      other?.say(hello('slow'), READY)
    })
    const one = await bus.start('one')
    expect(one.isConnectedTo('slow')).to.equal(true)
    expect(one.isConnectedTo('peer')).to.equal(true)
    expect(rival.peers).to.have.length(2)
  })

  it('waits for a peer that does not answer by patience, not until the handshake deadline', async () => {
    const slow = await peer('slow', () => {})
    const one = await bus.start('one', { limits: { patience: 30, handshakeTimeout: 600_000 } })
    expect(slow.openConnections).to.equal(1)
    expect(one.peers).to.deep.equal([])
  }).timeout(20_000)

  it('G10: rejects with NameInUse when the name is lost while waiting for peers', async () => {
    const slow = await peer('slow', () => {})
    const starting = rejection(bus.start('one', { watch: false, limits: { rescanInterval: 20 } }))
    await until(() => slow.peers.length === 1)
    await peer('one', (challenger) => challenger.say({ kind: 'goodbye', reason: 'name-in-use', text: '' }))
    for (const file of readdirSync(bus.directory)) {
      if (file.startsWith('one~') && !file.includes(IDS.one)) rmSync(join(bus.directory, file))
    }
    expect(await starting).to.include({ code: 'LAHJA_NAME_IN_USE' })
  })
})
