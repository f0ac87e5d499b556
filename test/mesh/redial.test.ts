import { once } from 'node:events'
import { linkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Endpoint } from '../../src'
import { ConnectionFailed, DirectoryRefused } from '../../src/model/errors'
import { settingsOf } from '../../src/options'
import type { Address } from '../../src/platform/address'
import { type Clock, systemClock } from '../../src/platform/clock'
import { SocketDirectory } from '../../src/platform/socket-directory'
import type { DialOutcome } from '../../src/platform/transport'
import { freshBus, until } from '../support/bus'
import { helloFields, type RawPeer, rawPeers } from '../support/raw-peer'
import { reportsOf } from '../support/reports'
import { leaveStaleSocket } from '../support/stale-socket'
import { warningThat } from '../support/warning'

const HELLO = helloFields({ name: 'bad', id: '0000000000000' })

describe('a dialer', () => {
  const raw = rawPeers()
  const bus = freshBus()

  it('does not keep dialling a peer that breaks the protocol once its link is up', async () => {
    const bad = await raw.listenAndAnswer({ directory: bus.directory, name: HELLO.name, id: HELLO.id }, (dialler) => {
      dialler.say(HELLO, { kind: 'ready' }, HELLO)
    })
    const a = await bus.start('a', { limits: { redialMin: 1, redialMax: 60_000, rescanInterval: 5 } })
    await until(() => bad.openConnections === 0)
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      const other = await bus.start(name, { limits: { redialMax: 60_000 } })
      await a.waitUntilConnectedTo(name)
      await other.close()
    }
    expect(bad.peers.length, 'one dial by each').to.equal(6)
  })

  it('reports once for all peers that no descriptor is free, with what to do, and links with them later', async () => {
    await bus.startAll('b', 'c', 'd')
    let isShort = true
    class Short extends SocketDirectory {
      override async dial(address: Address): Promise<DialOutcome> {
        const cause = Object.assign(new Error(`connect EMFILE ${address.id}`), { code: 'EMFILE' })
        return isShort ? { kind: 'exhausted', cause } : super.dial(address)
      }
    }
    const transport = new Short(bus.directory)
    const limits = { patience: 200, redialMax: 50, rescanInterval: 20 }
    const warning = warningThat((warning) => warning instanceof ConnectionFailed)
    const a = await bus.startBy(systemClock, 'a', { limits }, transport)
    expect(a.peers).to.deep.equal([])
    const { message } = await warning
    expect(message).to.contain('EMFILE').and.contain('raise the limit of open files (ulimit -n)')
    const reports = reportsOf(a)
    isShort = false
    await a.waitUntilConnectedTo(['b', 'c', 'd'])
    expect(reports).to.deep.equal([])
  })

  const numberedId = (number: number) => `${number}`.padStart(13, '0')

  /** A socket file whose listener never says anything. */
  const silent = (number = 0) => {
    return raw.listen({ directory: bus.directory, name: 'silent', id: numberedId(number) }, () => {})
  }

  it('has one handshake at a time with a socket that is linked under many names', async () => {
    const stranger = await silent()
    for (let link = 1; link < 300; link++) linkSync(stranger.path, join(bus.directory, `s~${numberedId(link)}.sock`))
    const a = await bus.start('a', { limits: { patience: 50, redialMax: 60_000, rescanInterval: 5 } })
    await bus.start('b', { limits: { patience: 50 } })
    await a.waitUntilConnectedTo('b')
    expect(stranger.peers, 'one dial by each').to.have.length(2)
  })

  it('has a bounded number of handshakes at a time', async () => {
    const strangers = await Promise.all(Array.from({ length: 30 }, (_, number) => silent(number)))
    await bus.start('a', { limits: { patience: 50, pendingHandshakes: 4 } })
    expect(strangers.reduce((sum, { peers }) => sum + peers.length, 0)).to.equal(4)
  })

  it('backs off from an address whose handshake has timed out', async () => {
    const stranger = await silent()
    const limits = { handshakeTimeout: 20, redialMin: 1, redialMax: 60_000, rescanInterval: 5 }
    const a = await bus.start('a', { limits })
    await until(() => stranger.peers.length === 1 && stranger.openConnections === 0)
    for (const name of ['b', 'c', 'd']) {
      const other = await bus.start(name, { limits })
      await a.waitUntilConnectedTo(name)
      await other.close()
    }
    expect(stranger.peers, 'one dial by each').to.have.length(4)
  })

  describe('whose links come up and break at once', () => {
    const limits = { redialMin: 2, redialMax: 60_000, rescanInterval: 3_600_000, pingInterval: 3_600_000 }
    const target = () => ({ directory: bus.directory, name: HELLO.name, id: HELLO.id })

    /** Starts an endpoint that counts its losses and keeps the delays of its dials. */
    async function startCounting() {
      const counted = { delays: [] as number[], losses: 0, ahead: 0 }
      const after: Clock['after'] = (delay, ...rest) => {
        if (delay < 100) counted.delays.push(delay)
        return systemClock.after(delay, ...rest)
      }
      const clock = { ...systemClock, random: () => 0.5, after, now: () => systemClock.now() + counted.ahead }
      const endpoint = await bus.startBy(clock, 'a', { limits, watch: false })
      endpoint.on('lost', () => counted.losses++)
      return { counted, endpoint }
    }

    it('backs off if it has dialled', async () => {
      await raw.listenAndAnswer(target(), (dialler) => {
        dialler.say(HELLO, { kind: 'ready' })
        void dialler.hears('ready').then(() => dialler.destroy())
      })
      const { counted } = await startCounting()
      await until(() => counted.losses === 7)
      expect(counted.delays).to.deep.equal([0, 1, 2, 4, 8, 16, 32, 64])
    })

    it('backs off if the peer has dialled', async () => {
      const { counted, endpoint } = await startCounting()
      await raw.listen(target(), () => {})
      for (let losses = 1; losses <= 6; losses++) {
        const dialler = await raw.connect(endpoint, HELLO)
        dialler.destroy()
        await until(() => counted.losses === losses)
      }
      expect(counted.delays).to.deep.equal([1, 2, 4, 8, 16, 32])
    })

    it('dials at once again after one that has lasted', async () => {
      const peers: RawPeer[] = []
      await raw.listenAndAnswer(target(), (dialler) => {
        peers.push(dialler)
        dialler.say(HELLO, { kind: 'ready' })
      })
      const { counted, endpoint } = await startCounting()
      for (let links = 1; links <= 5; links++) {
        await until(() => peers.length === links && endpoint.isConnectedTo(HELLO.name))
        if (links === 4) counted.ahead += limits.redialMax
        peers.at(-1)?.destroy()
        await until(() => counted.losses === links)
      }
      await until(() => peers.length === 6)
      expect(counted.delays).to.deep.equal([0, 1, 2, 4, 1, 2])
    })
  })

  it('finds the address of a socket that is linked under many false ones', async () => {
    const b = await bus.start('b', { limits: { rescanInterval: 60_000 } })
    for (let link = 0; link < 20; link++) {
      linkSync(join(bus.directory, `b~${b.id}.sock`), join(bus.directory, `s~${numberedId(link)}.sock`))
    }
    const a = await bus.start('a', { limits: { redialMax: 60_000 } })
    expect(a.isConnectedTo('b')).to.equal(true)
  })

  it('is not kept from an endpoint by a false name beside its id', async () => {
    const b = await bus.start('b', { limits: { rescanInterval: 60_000 } })
    await raw.listen({ directory: bus.directory, name: 'a', id: b.id }, () => {})
    const c = await bus.start('c', { limits: { patience: 100 } })
    expect(c.isConnectedTo('b')).to.equal(true)
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
  const connectPeer = rawPeers().connect

  it('sets no timer for the same id after the endpoint has closed (G12)', async () => {
    const id = '0000000000000'
    leaveStaleSocket(join(bus.directory, `raw~${id}.sock`))
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
    const a = await Endpoint.startIn(
      { transport, clock },
      settingsOf({ name: 'a', directory: bus.directory, watch: false, limits }),
    )
    await until(() => transport.under.length === 1)
    const peer = await connectPeer(a, { id })
    peer.destroy()
    await until(() => !a.isConnectedTo('raw'))
    transport.release()
    await Promise.all(transport.done)
    await a.close()
    expect(timers.size).to.equal(0)
  })
})

/** A directory in which the files of dead peers can't be removed, as those of another user. */
class ForeignDirectory extends SocketDirectory {
  dials = 0

  override dial(address: Address): Promise<DialOutcome> {
    this.dials++
    return super.dial(address)
  }

  override async remove(): Promise<void> {}
}

describe('a dead address whose file stays', () => {
  const bus = freshBus()

  it('is dialled once', async () => {
    leaveStaleSocket(join(bus.directory, 'dead~0000000000000.sock'), join(bus.directory, 'dead~0000000000001.sock'))
    const transport = new ForeignDirectory(bus.directory)
    const a = await bus.startBy(systemClock, 'a', { limits: { redialMin: 1, rescanInterval: 5 } }, transport)
    for (const name of ['b', 'c', 'd']) {
      const other = await bus.start(name)
      await a.waitUntilConnectedTo(name)
      await other.close()
    }
    await until(() => a.peers.length === 0)
    expect(transport.dials - 3).to.be.at.most(2)
  })
})

/** A directory with a socket that this process may not dial. */
class GuardedDirectory extends SocketDirectory {
  dials = 0

  override async dial(): Promise<DialOutcome> {
    this.dials++
    return { kind: 'denied', cause: new DirectoryRefused('no permission') }
  }
}

describe('an address that may not be dialled', () => {
  const bus = freshBus()
  const raw = rawPeers()

  it('is reported once, and does not hold up a start', async () => {
    await raw.listen({ directory: bus.directory, name: 'guarded', id: '0000000000000' }, () => {})
    const transport = new GuardedDirectory(bus.directory)
    const limits = { patience: 60_000, redialMax: 1, redialMin: 1 }
    const [[error]] = await Promise.all([
      once(process, 'warning'),
      bus.startBy(systemClock, 'a', { limits }, transport),
    ])
    const before = transport.dials
    let reports = 0
    const count = () => reports++
    process.on('warning', count)
    await until(() => transport.dials > before + 20)
    process.off('warning', count)
    expect(error).to.include({ code: 'LAHJA_DIRECTORY_REFUSED', message: 'no permission' })
    expect(reports).to.equal(0)
  })
})
