import { readdirSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { Endpoint } from '../../src/endpoint'
import { settingsOf } from '../../src/options'
import type { Address } from '../../src/platform/address'
import { type Clock, systemClock } from '../../src/platform/clock'
import { SocketDirectory } from '../../src/platform/socket-directory'
import { encodeMessage } from '../../src/wire/codec'
import type { Message } from '../../src/wire/message'
import { freshBus, until } from '../support/bus'
import { helloWith } from '../support/hello'
import { rejection } from '../support/rejection'
import { rivals } from '../support/rival'

const ROUNDS = 30

/** Ids that sort before any generated one. */
const IDS = { peer: '0000000000000', slow: '0000000000001', one: '0000000000002' }

const READY: Message = { kind: 'ready' }

const hello = (name: keyof typeof IDS) => helloWith({ name, id: IDS[name] })

/** Sends all messages in one write. */
function say(socket: Socket | undefined, ...messages: Message[]): void {
  socket?.write(Buffer.concat(messages.map((message) => encodeMessage(message).bytes)))
}

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

describe('Endpoint.start', () => {
  const endpoints: Endpoint[] = []
  const closeAll = () => Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()))
  afterEach(closeAll)
  const rival = rivals(() => bus.directory)
  const bus = freshBus()

  const peer = (name: keyof typeof IDS, answer: (dialler: Socket, count: number) => void) =>
    rival(name, IDS[name], answer)

  /** The peer dials `one`, which prefers this connection; `answered` is called at its first answer. */
  function dialOne(answered: (own: Socket) => void): void {
    const [file = ''] = readdirSync(bus.directory).filter((name) => name.startsWith('one~'))
    const own = connect(join(bus.directory, file))
    own.once('data', () => answered(own))
    say(own, hello('peer'))
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
    const dialled = await peer('peer', (dialler, count) => {
      if (count > 1) return say(dialler, hello('peer'), READY)
      dialOne((own) => own.destroy())
    })
    const one = await bus.start('one')
    expect(one.isConnectedTo('peer')).to.equal(true)
    expect(dialled.challengers).to.have.length(2)
  })

  it('does not wait for a peer that violates the protocol on its preferred dial', async () => {
    await peer('peer', () => {
      dialOne((own) => say(own, hello('peer')))
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
    const dialled = await peer('peer', (dialler, count) => {
      if (count > 4) return say(dialler, hello('peer'), READY)
      dialOne((own) => own.destroy())
    })
    await bus.startBy({ ...systemClock, random: () => 1, after }, 'one', { limits: { redialMin: 3 } })
    expect(dialled.challengers).to.have.length(5)
    expect(delays).to.include.members([3, 6, 12, 24])
  })

  it('waits again for a peer whose link it has lost meanwhile', async () => {
    const slow = await peer('slow', () => {})
    const dialled = await peer('peer', (dialler, count) => {
      if (count === 1) {
        dialler.once('data', () => dialler.destroy())
        return say(dialler, hello('peer'), READY)
      }
      const [other] = slow.challengers
      other?.once('data', () => say(dialler, hello('peer'), READY))
      say(other, hello('slow'), READY)
    })
    const one = await bus.start('one')
    expect(one.isConnectedTo('slow')).to.equal(true)
    expect(one.isConnectedTo('peer')).to.equal(true)
    expect(dialled.challengers).to.have.length(2)
  })

  it('G10: rejects with NameInUse when the name is lost while waiting for peers', async () => {
    const slow = await peer('slow', () => {})
    const starting = rejection(bus.start('one', { watch: false, limits: { rescanInterval: 20 } }))
    await until(() => slow.challengers.length === 1)
    await peer('one', (challenger) => say(challenger, { kind: 'goodbye', reason: 'name-in-use', text: '' }))
    for (const file of readdirSync(bus.directory)) {
      if (file.startsWith('one~') && !file.includes(IDS.one)) rmSync(join(bus.directory, file))
    }
    expect(await starting).to.include({ code: 'LAHJA_NAME_IN_USE' })
  })
})
