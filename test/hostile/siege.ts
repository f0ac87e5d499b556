import { expect } from 'chai'
import type { Endpoint, EndpointOptions, LahjaError } from '../../src'
import { freshBus } from '../support/bus'
import { Assailant } from './assailant'

/** A host that is assailed, and a witness that must not notice; for the tests of the suite that calls this. */
export function siege() {
  const assailants: Assailant[] = []
  afterEach(() => {
    for (const assailant of assailants.splice(0)) assailant.destroy()
  })
  const bus = freshBus()
  const errors: LahjaError[] = []
  const notices: string[] = []

  return {
    bus,
    /** What the host has reported. */
    errors,
    /** What the host has told of the assailant, and the witness of anyone. */
    notices,
    async begin(options: Partial<EndpointOptions> = {}): Promise<{ host: Endpoint; witness: Endpoint }> {
      errors.length = notices.length = 0
      const host = await bus.start('host', options)
      const witness = await bus.start('witness')
      await host.waitUntilConnectedTo('witness')
      host.on('error', (error) => errors.push(error))
      host.on('lost', ({ name }, { cause }) => notices.push(`lost ${name}: ${Reflect.get(cause, 'reason')}`))
      witness.on('lost', ({ name }) => notices.push(`the witness lost ${name}`))
      witness.on('error', (error) => notices.push(`the witness: ${error.message}`))
      return { host, witness }
    },
    assail(host: Endpoint): Assailant {
      const assailant = new Assailant(host)
      assailants.push(assailant)
      return assailant
    },
    /** Everyone else goes on as if nothing were. */
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
