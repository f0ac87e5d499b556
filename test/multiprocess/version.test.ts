import { expect } from 'chai'
import { type Endpoint, type LahjaError, ProtocolViolation } from '../../src'
import { warningThat } from '../support/warning'
import { useBus } from './bus'
import { RemoteRawPeer } from './remote-raw-peer'
import { until } from './until'

describe('a peer with other protocol versions', () => {
  const bus = useBus()
  let host: Endpoint
  let errors: LahjaError[]

  beforeEach(async () => {
    host = await bus.join('host')
    errors = []
    host.on('error', (error) => errors.push(error))
  })

  for (const [which, versions] of Object.entries({ 'a newer': [1, 2], 'an older': [0, 1] } as const)) {
    it(`is linked with the newest common version if it speaks this and ${which} one`, async () => {
      const peer = await RemoteRawPeer.dial(bus.processes, host, { versions }, ['tick'])
      await host.waitUntilConnectedTo('raw')
      expect(await host.broadcast('tick', 'tock')).to.equal(1)
      expect(await peer.heard()).to.deep.include({ kind: 'event', type: 'tick', payload: 'tock' })
      expect(errors).to.deep.equal([])
    })
  }

  for (const [which, versions] of Object.entries({ newer: [2, 3], older: [0, 0] } as const)) {
    it(`is refused and reported if it speaks only ${which} ones, without affecting others`, async () => {
      const other = await bus.start('other')
      await other.subscribe('tick')
      const peer = await RemoteRawPeer.dial(bus.processes, host, { versions })

      const goodbye = (await peer.untilClosed()).at(-1)
      expect(goodbye).to.include({ kind: 'goodbye', reason: 'version-mismatch' })
      await until(() => errors.length > 0)
      expect(errors.map(reasonOf)).to.deep.equal(['version-mismatch'])
      expect(errors[0]?.message).to.include(`speaks protocol version ${[...new Set(versions)].join(' to ')}`)
      expect(host.peers.map(({ name }) => name)).to.deep.equal(['other'])
      expect(await host.broadcast('tick', { number: 0 })).to.equal(1)
      await other.untilReceived('tick', 1)
    })

    it(`delays no start and is reported once when dialled, if it speaks only ${which} ones`, async () => {
      const peer = await RemoteRawPeer.publish(bus.processes, bus.directory, { versions })
      const notices: LahjaError[] = []
      const warned = warningThat(({ message }) =>
        message.includes(`speaks protocol version ${[...new Set(versions)].join(' to ')}`),
      )
      const newcomer = await bus.join('newcomer', { limits: { redialMax: 200 } })
      newcomer.on('error', (error) => notices.push(error))

      expect(newcomer.peers.map(({ name }) => name)).to.deep.equal(['host'])
      const goodbye = (await peer.untilClosed()).at(-1)
      expect(goodbye).to.include({ kind: 'goodbye', reason: 'version-mismatch' })
      await warned
      await until(() => errors.length > 0)
      expect(errors.map(reasonOf)).to.deep.equal(['version-mismatch'])
      await peer.untilDialled(5)
      expect(notices).to.deep.equal([])
    })
  }
})

function reasonOf(error: LahjaError): string {
  return error instanceof ProtocolViolation ? error.reason : error.code
}
