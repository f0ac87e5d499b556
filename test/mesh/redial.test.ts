import { join } from 'node:path'
import { expect } from 'chai'
import type { Address } from '../../src/platform/address'
import { type Clock, systemClock } from '../../src/platform/clock'
import { SocketDirectory } from '../../src/platform/socket-directory'
import { encodeMessage } from '../../src/wire/codec'
import { barePeers } from '../support/bare-peer'
import { freshBus, until } from '../support/bus'
import { helloWith } from '../support/hello'
import { rivals } from '../support/rival'
import { leaveStaleSocket } from '../support/stale-socket'

const HELLO = helloWith({ name: 'bad', id: '0000000000000' })

describe('a dialer', () => {
  const rival = rivals(() => bus.directory)
  const bus = freshBus()

  it('does not keep dialling a peer that breaks the protocol once its link is up', async () => {
    const bad = await rival('bad', '0000000000000', (dialler) => {
      for (const message of [HELLO, { kind: 'ready' }, HELLO] as const) dialler.write(encodeMessage(message).bytes)
    })
    const a = await bus.start('a', { limits: { redialMin: 1, redialMax: 60_000, rescanInterval: 5 } })
    await until(() => bad.openChallenges === 0)
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      const other = await bus.start(name, { limits: { redialMax: 60_000 } })
      await a.waitUntilConnectedTo(name)
      await other.close()
    }
    expect(bad.challengers.length, 'one dial by each').to.equal(6)
  })
})

/** A directory in which the removal of files waits for the test. */
class SlowBurials extends SocketDirectory {
  readonly under: Address[] = []
  readonly done: Promise<void>[] = []
  readonly #released: Promise<void>
  release = () => {}

  constructor(directory: string) {
    super(directory, [], false)
    this.#released = new Promise((resolve) => {
      this.release = resolve
    })
  }

  override remove(address: Address): Promise<void> {
    this.under.push(address)
    const burial = this.#released.then(() => super.remove(address))
    this.done.push(burial)
    return burial
  }
}

describe('a dialer that removes the file of a dead peer', () => {
  const bus = freshBus()
  const connectPeer = barePeers()

  it('sets no timer for the same id after the endpoint has closed (G12)', async () => {
    const id = '0000000000000'
    leaveStaleSocket(join(bus.directory, `bare~${id}.sock`))
    const timers = new Set<object>()
    const clock: Clock = {
      ...systemClock,
      after(delay, call) {
        const timer = systemClock.after(delay, () => {
          timers.delete(own)
          call()
        })
        const own = {
          cancel: () => {
            timers.delete(own)
            timer.cancel()
          },
        }
        timers.add(own)
        return own
      },
    }
    const transport = new SlowBurials(bus.directory)
    const limits = { redialMin: 60_000, redialMax: 60_000, handshakeTimeout: 1000 }
    const a = await bus.startBy(clock, 'a', { watch: false, limits }, transport)
    await until(() => transport.under.length === 1)
    const peer = await connectPeer(a, { id })
    peer.destroy()
    await until(() => !a.isConnectedTo('bare'))
    transport.release()
    await Promise.all(transport.done)
    await a.close()
    expect(timers.size).to.equal(0)
  })
})
