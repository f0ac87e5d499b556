import { chownSync, linkSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { EndpointOptions, LahjaError } from '../../src'
import type { Message, RefusalReason } from '../../src/wire/message'
import { freshBus, until } from '../support/bus'
import { encoded } from '../support/frame-bytes'
import { ManualClock } from '../support/manual-clock'
import { helloFields, type RawPeer, rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { isRoot } from '../support/user'

const SMALLEST = '0000000000000'
const LARGEST = 'zzzzzzzzzzzzz'

const say = (peer: RawPeer, reason: RefusalReason) => {
  peer.say({ kind: 'goodbye', reason, text: '' })
  peer.end()
}

const numberedId = (number: number) => `${number}`.padStart(13, '0')

/** Blocks this process. */
const stopFor = (milliseconds: number) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

describe('a name claim', () => {
  const raw = rawPeers()
  const bus = freshBus()

  function rival(name: string, id: string, answer: (challenger: RawPeer, count: number) => void) {
    return raw.listenAndAnswer({ directory: bus.directory, name, id }, answer)
  }

  /** Makes an endpoint publish its address and claim its name again. */
  function removeFileOf(name: string): void {
    for (const file of readdirSync(bus.directory)) {
      if (file.startsWith(`${name}~`) && !file.includes(SMALLEST)) rmSync(join(bus.directory, file))
    }
  }

  it('is lost to a rival that holds the name (G10)', async () => {
    await rival('a', SMALLEST, (challenger) => say(challenger, 'name-in-use'))
    expect(await rejection(bus.start('a'))).to.include({ code: 'LAHJA_NAME_IN_USE' })
  })

  it('is lost to a claimant with a smaller id (G10)', async () => {
    await rival('a', SMALLEST, (challenger) => say(challenger, 'name-claimed'))
    expect(await rejection(bus.start('a'))).to.include({ code: 'LAHJA_NAME_IN_USE' })
  })

  it('is lost to a rival that does not answer (G10)', async () => {
    await rival('a', SMALLEST, () => {})
    const error = await rejection(bus.start('a', { limits: { handshakeTimeout: 50 } }))
    expect(error).to.include({ code: 'LAHJA_NAME_IN_USE' })
  })

  describe('against a rival that does not answer', () => {
    /** The error of a start by a clock that runs as fast as it can, and the milliseconds that it took. */
    async function defeat(options: Partial<EndpointOptions>) {
      const clock = new ManualClock()
      let error: LahjaError | undefined
      void rejection(bus.startBy(clock, 'a', { ...options, watch: false })).then((thrown) => (error = thrown))
      await until(() => {
        if (error) return true
        clock.advance(10)
        clock.turn()
        return false
      })
      return { error, duration: clock.now() }
    }

    for (const [what, options, least, most] of [
      ['patience', {}, 1000, 1100],
      ['patience, also if that is short', { limits: { patience: 300 } }, 300, 400],
      ['the handshake deadline, if that is earlier', { limits: { handshakeTimeout: 200 } }, 100, 300],
      ['patience, if that is longer than waitForName', { waitForName: 500 }, 1000, 1100],
      ['waitForName, if that is longer', { waitForName: 5000 }, 5000, 5100],
      ['waitForName, also if that is longer than a handshake', { waitForName: 25_000 }, 25_000, 25_100],
    ] as const) {
      it(`is lost after ${what} (G10)`, async () => {
        await rival('a', LARGEST, () => {})
        const { error, duration } = await defeat(options)
        expect(error).to.include({ code: 'LAHJA_NAME_IN_USE', holder: LARGEST })
        expect(duration).to.be.within(least, most)
      })

      it(`is lost after ${what}, also if it closes each connection (G10)`, async () => {
        await rival('a', LARGEST, (challenger) => challenger.end())
        const { error, duration } = await defeat(options)
        expect(error).to.include({ code: 'LAHJA_NAME_IN_USE', holder: LARGEST })
        expect(duration).to.be.within(least, most + 400)
      })
    }

    it('says how to find its process', async () => {
      await rival('a', LARGEST, () => {})
      const { error } = await defeat({ limits: { patience: 50 } })
      expect(error?.message).to.equal(
        `the name 'a' is in use in ${bus.directory}: a~${LARGEST} does not answer: its process may be stopped or busy, ` +
          `and \`lsof -U | grep ${LARGEST}\` shows it; ` +
          'close that endpoint, wait for its end with the option waitForName, or choose another name',
      )
    })

    it('says so beside another claimant, whatever that waits for (G10)', async () => {
      await rival('a', numberedId(7), (challenger, count) => count === 1 && say(challenger, 'name-claimed'))
      await rival('a', LARGEST, () => {})
      const { error, duration } = await defeat({ waitForName: 500, limits: { redialMin: 1000, redialMax: 1000 } })
      expect(error?.message).to.contain(`a~${numberedId(7)} claims it at the same time`)
      expect(error?.message).to.contain(`a~${LARGEST} has not answered`)
      expect(duration).to.be.within(500, 1100)
    })

    it('is kept by a holder until the handshake deadline, after its file was removed (G10)', async () => {
      const a = await bus.start('a', { watch: false, limits: { rescanInterval: 20, patience: 10 } })
      let isAnswered = false
      await rival('a', SMALLEST, (challenger) => {
        setTimeout(() => {
          isAnswered = true
          say(challenger, 'name-conceded')
        }, 200)
      })
      removeFileOf('a')
      await until(() => isAnswered)
      await until(() => readdirSync(bus.directory).some((file) => file === `a~${a.id}.sock`))
      expect(await a.broadcast('x')).to.equal(0)
    })
  })

  it('is lost to a rival that keeps disconnecting until the deadline (G10)', async () => {
    const { peers } = await rival('a', SMALLEST, (challenger) => challenger.destroy())
    const error = await rejection(bus.start('a', { limits: { handshakeTimeout: 200, redialMin: 5 } }))
    expect(error).to.include({ code: 'LAHJA_NAME_IN_USE' })
    expect(peers.length).to.be.greaterThan(1)
  })

  it('is won against a rival that concedes', async () => {
    const conceding = await rival('a', SMALLEST, (challenger) => say(challenger, 'name-conceded'))
    await bus.start('a')
    expect(conceding.peers).to.have.length(1)
  })

  it('is won against a rival that is closing, once it is gone', async () => {
    const leaving = await rival('a', SMALLEST, (challenger, count) => {
      say(challenger, 'closing')
      if (count === 2) leaving.close()
    })
    await bus.start('a', { limits: { redialMin: 5 } })
    expect(leaving.peers).to.have.length(2)
  })

  it('is won against a rival whose answer was cut off, once it concedes (G10)', async () => {
    const torn = await rival('a', SMALLEST, (challenger, count) => {
      if (count > 1) return say(challenger, 'name-conceded')
      challenger.sayBytes(encoded({ kind: 'goodbye', reason: 'name-claimed', text: '' }).subarray(0, 9))
      challenger.end()
    })
    await bus.start('a', { limits: { redialMin: 5 } })
    expect(torn.peers).to.have.length(2)
  })

  it('is won against a rival that went while the claimant was stopped until its deadline (G10)', async () => {
    const leaving = await rival('a', SMALLEST, (challenger) => {
      challenger.socket.once('close', () => {
        leaving.close()
        stopFor(150)
      })
      say(challenger, 'closing')
    })
    await bus.start('a', { limits: { handshakeTimeout: 100 } })
    expect(leaving.peers).to.have.length(1)
  })

  it('is won against a rival that conceded while the claimant was stopped until its deadline (G10)', async () => {
    await rival('a', SMALLEST, (challenger) => {
      say(challenger, 'name-conceded')
      stopFor(150)
    })
    await bus.start('a', { limits: { handshakeTimeout: 100 } })
  })

  it('is not conceded to a challenger that has already disconnected (G10)', async () => {
    const challengers: RawPeer[] = []
    await rival('a', SMALLEST, (challenger) => challengers.push(challenger))
    const starting = bus.start('a')
    await until(() => challengers.length === 1)
    const [file = ''] = readdirSync(bus.directory).filter((name) => !name.includes(SMALLEST))
    const impatient = raw.dial({ directory: bus.directory, name: 'a', id: file.slice(2, -5) })
    const goodbye: Message = { kind: 'goodbye', reason: 'handshake-timeout', text: '' }
    impatient.say(helloFields({ name: 'a', id: SMALLEST }), goodbye)
    impatient.end()
    await impatient.closed()
    for (const challenger of challengers) say(challenger, 'name-conceded')
    expect((await starting).name).to.equal('a')
  })

  it('is kept by a holder whose file was removed, against a mere claimant (G10)', async () => {
    const a = await bus.start('a', { watch: false, limits: { rescanInterval: 20, redialMin: 5 } })
    const claiming = await rival('a', SMALLEST, (challenger, count) => {
      say(challenger, count < 3 ? 'name-claimed' : 'name-conceded')
    })
    removeFileOf('a')
    await until(() => claiming.peers.length === 3)
    await until(() => readdirSync(bus.directory).some((file) => file === `a~${a.id}.sock`))
    expect(await a.broadcast('x')).to.equal(0)
  })

  it('ends when the endpoint closes, whatever it waits for (G12)', async () => {
    const a = await bus.start('a', { watch: false, limits: { rescanInterval: 20 } })
    const silent = await rival('a', SMALLEST, () => {})
    removeFileOf('a')
    await until(() => silent.openConnections === 1)
    await a.close()
    await until(() => silent.openConnections === 0)
    expect(readdirSync(bus.directory)).to.deep.equal([`a~${SMALLEST}.sock`])
  })

  it('keeps peers waiting until it is settled, and forgets those that disconnect meanwhile', async () => {
    const challengers: RawPeer[] = []
    await rival('host', SMALLEST, (challenger) => challengers.push(challenger))
    const starting = bus.start('host')
    await until(() => challengers.length === 1)
    const [claimant] = challengers
    const [file = ''] = readdirSync(bus.directory).filter((name) => !name.includes(SMALLEST))
    const visitor = await bus.start('visitor', { limits: { handshakeTimeout: 100, redialMin: 5 } })
    expect(file).to.match(/^host~/)
    expect(visitor.isConnectedTo('host')).to.equal(false)
    if (claimant) say(claimant, 'name-conceded')
    const host = await starting
    await host.waitUntilConnectedTo('visitor')
    await visitor.waitUntilConnectedTo('host')
    expect(host.peers).to.have.length(1)
  })

  it('takes a socket that is linked under many names for one rival (G10)', async () => {
    const stranger = await rival('a', SMALLEST, (challenger, count) => {
      say(challenger, 'closing')
      if (count === 3) stranger.close()
    })
    for (let link = 1; link < 300; link++) linkSync(stranger.path, join(bus.directory, `a~${numberedId(link)}.sock`))
    const a = await bus.start('a', { limits: { redialMin: 1, redialMax: 1 } })
    expect(stranger.peers).to.have.length(3)
    expect(readdirSync(bus.directory)).to.deep.equal([`a~${a.id}.sock`])
  })

  it('challenges few sockets at a time (G10)', async () => {
    let most = 0
    const rivals = await Promise.all(
      Array.from({ length: 60 }, (_, number) =>
        rival('a', numberedId(number), (challenger) => {
          most = Math.max(
            most,
            rivals.reduce((sum, { openConnections }) => sum + openConnections, 0),
          )
          say(challenger, 'name-conceded')
        }),
      ),
    )
    await bus.start('a')
    expect(most).to.be.within(2, 16)
  })

  it('finds the holder among links of its socket to other addresses (G10)', async () => {
    const holder = await bus.start('a', { secret: 'open sesame' })
    const path = join(bus.directory, `a~${holder.id}.sock`)
    for (let link = 0; link < 5; link++) linkSync(path, join(bus.directory, `a~${numberedId(link)}.sock`))
    expect(await rejection(bus.start('a', { secret: 'open sesame' }))).to.include({ code: 'LAHJA_NAME_IN_USE' })
  })

  if (isRoot) {
    it('leaves a part of the time until the handshake deadline for the links that a start waits for', async () => {
      for (const name of ['a', 'b']) {
        const { path } = await raw.listen({ directory: bus.directory, name, id: numberedId(7) }, () => {})
        chownSync(path, 12_345, 12_345)
      }
      const clock = new ManualClock()
      let hasStarted = false
      const starting = bus.startBy(clock, 'a', { secret: 'open sesame' }).then(() => {
        hasStarted = true
      })
      await until(() => {
        if (hasStarted) return true
        clock.advance(20)
        clock.turn()
        return false
      })
      await starting
      expect(clock.now()).to.be.within(9000, 10_100)
    })

    it('gives each of many silent sockets of another user a part of the time, and ends by the handshake deadline', async () => {
      const rivals = await Promise.all(
        Array.from({ length: 40 }, (_, number) => rival('a', numberedId(number), () => {})),
      )
      for (const { path } of rivals) chownSync(path, 12_345, 12_345)
      await bus.start('a', { secret: 'open sesame', limits: { handshakeTimeout: 300, patience: 1 } })
      for (const { peers } of rivals) expect(peers.length).to.be.greaterThan(0)
    })
  }
})
