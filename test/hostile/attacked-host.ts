import { expect } from 'chai'
import type { Endpoint, EndpointOptions, LahjaError } from '../../src'
import { freshBus } from '../support/bus'
import { rawPeers } from '../support/raw-peer'

/** A host that raw peers attack, and a witness that must not notice; for the tests of the calling suite. */
export function attackedHost() {
  const { dial } = rawPeers()
  const bus = freshBus()
  const errors: LahjaError[] = []
  const notices: string[] = []

  return {
    bus,
    /** Errors that the host has emitted. */
    errors,
    /** Losses that the host has emitted, and any loss or error of the witness. */
    notices,
    async begin(options: Partial<EndpointOptions> = {}): Promise<{ host: Endpoint; witness: Endpoint }> {
      errors.length = notices.length = 0
      const host = await bus.start('host', options)
      const witness = await bus.start('witness')
      await host.waitUntilConnectedTo('witness')
      host.on('error', (error) => errors.push(error))
      host.on('lost', ({ name }, { cause }) =>
        notices.push(`lost ${name}: ${Reflect.get(cause, 'reason') ?? cause.code}`),
      )
      witness.on('lost', ({ name }) => notices.push(`the witness lost ${name}`))
      witness.on('error', (error) => notices.push(`the witness: ${error.message}`))
      return { host, witness }
    },
    dial,
    /** Checks that the host and the witness still exchange events. */
    async checkOthers(host: Endpoint, witness: Endpoint): Promise<void> {
      const subscription = witness.subscribe('still.here', () => {})
      await subscription.ready
      const event = witness.waitFor('still.here', { from: 'host' })
      await host.broadcast('still.here', 'yes')
      expect((await event).payload).to.equal('yes')
      subscription.unsubscribe()
      expect(notices.filter((notice) => notice.startsWith('the witness'))).to.deep.equal([])
      expect(Reflect.get({}, 'polluted')).to.equal(undefined)
    },
  }
}
