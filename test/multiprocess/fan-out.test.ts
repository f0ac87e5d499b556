import { expect } from 'chai'
import { useBus } from './bus'
import { expectNumbers } from './numbers'

const CONSUMERS = 8
const EVENTS = 50_000

describe('one sender and eight consumer processes', () => {
  const bus = useBus('shared')

  it('G3, G4, G6: deliver 50,000 events once each and in order to every consumer', async () => {
    const sender = await bus.start('sender')
    const consumers = await Promise.all(
      Array.from({ length: CONSUMERS }, async (_, index) => {
        const consumer = await bus.start(`consumer-${index}`)
        await consumer.subscribe('tick')
        await consumer.subscribe('end')
        return consumer
      }),
    )
    await sender.untilPeers(CONSUMERS)

    const handed = await sender.broadcast('tick', EVENTS)
    await sender.broadcast('end')

    expect(handed).to.equal(CONSUMERS)
    for (const consumer of consumers) {
      await consumer.untilReceived('end', 1)
      expectNumbers(await consumer.received('tick'), 'sender', EVENTS)
      const kinds = (await consumer.notices()).map(({ kind }) => kind)
      expect(kinds.filter((kind) => kind !== 'joined')).to.deep.equal([])
    }
  })
})
