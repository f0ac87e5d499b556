import { join } from 'node:path'
import { expect } from 'chai'
import { useBus } from './bus'
import { expectNumbers } from './numbers'

const ROUNDS = 120
const EVENTS = 20

describe('two processes that dial each other at once', () => {
  const bus = useBus('shared')

  it(`G3: keep exactly one link, which delivers each event once, in ${ROUNDS} rounds`, async () => {
    const processes = await bus.processes.participants(2)
    for (let round = 0; round < ROUNDS; round++) {
      const directory = join(bus.directory, `${round}`)
      const pair = await Promise.all(
        processes.map((process, side) => bus.startIn(process, `side-${side}`, { directory })),
      )
      const [one, two] = round % 2 === 0 ? pair : pair.reverse()
      if (!one || !two) throw new Error('expected two endpoints')
      await Promise.all([one.waitUntilConnectedTo(two.name), two.waitUntilConnectedTo(one.name)])
      await Promise.all(pair.map((endpoint) => endpoint.subscribe('tick')))

      const handed = await Promise.all([one.broadcast('tick', EVENTS), two.broadcast('tick', EVENTS, EVENTS)])
      await Promise.all(pair.map((endpoint) => endpoint.untilReceived('tick', 2 * EVENTS)))
      expect(handed, `round ${round}`).to.deep.equal([2, 2])
      for (const endpoint of pair) expect(await endpoint.peers(), `round ${round}`).to.have.lengthOf(1)

      // One closes first and the other is then sure to have all that one had for it, second copies too.
      await one.close()
      await two.close()
      for (const endpoint of pair) {
        const events = await endpoint.received('tick')
        const ofOne = events.filter(({ origin }) => origin === one.name)
        const ofTwo = events.filter(({ origin }) => origin === two.name)
        expectNumbers(ofOne, one.name, EVENTS)
        expectNumbers(ofTwo, two.name, EVENTS, EVENTS)
        const kinds = (await endpoint.notices()).map(({ kind }) => kind).filter((kind) => kind !== 'joined')
        expect(kinds, `round ${round}`).to.deep.equal(endpoint === one ? [] : ['left'])
      }
    }
  })
})
