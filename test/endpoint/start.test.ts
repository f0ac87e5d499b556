import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import type { Address } from '../../src/address'
import { systemClock } from '../../src/clock'
import { Endpoint } from '../../src/endpoint'
import { settingsOf } from '../../src/options'
import { SocketDirectory } from '../../src/socket-directory'
import { freshBus } from '../bus'

const ROUNDS = 30

/** At which whoever comes looks around for the first time when two are there. */
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

describe('the start of an endpoint', () => {
  const endpoints: Endpoint[] = []
  const closeAll = () => Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()))
  afterEach(closeAll)
  const bus = freshBus()

  it('waits for the link with a peer that is there, also where both dial each other', async () => {
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
})
