import { expect } from 'chai'
import { useBus } from './bus'
import { expectNumbers } from './numbers'

const ROUNDS = 60

/** Long enough that no ping is among the counted bytes. */
const NO_PINGS = { pingInterval: 600_000 }

describe('subscriptions across processes', () => {
  const bus = useBus()

  it('G2: keep events of other types from being sent at all', async () => {
    const sender = await bus.start('sender', { limits: NO_PINGS })
    const listener = await bus.start('listener', { limits: NO_PINGS })
    const bystander = await bus.start('bystander', { limits: NO_PINGS })
    for (const endpoint of [listener, bystander]) await endpoint.subscribe('marker')
    await listener.subscribe('tick')
    // So that all of their keys have been told.
    await sender.broadcast('marker', 20)
    await bystander.untilReceived('marker', 20)

    const bytesAfterMarker = async (count: number) => {
      expect(await sender.broadcast('marker')).to.equal(2)
      await bystander.untilReceived('marker', 20 + count)
      return bystander.process.bytesRead()
    }
    const before = await bytesAfterMarker(1)
    const markerSize = (await bytesAfterMarker(2)) - before
    expect(await sender.broadcast('tick', 1000)).to.equal(1)
    const bytes = (await bytesAfterMarker(3)) - before - markerSize

    expect(markerSize).to.be.above(0)
    expect(bytes, 'a marker and whatever was read before it').to.equal(markerSize)
    await listener.untilReceived('tick', 1000)
    expect(await bystander.received('tick')).to.deep.equal([])
  })

  it('G2: deliver nothing after unsubscribe, and soon are sent nothing', async () => {
    const sender = await bus.start('sender', { limits: NO_PINGS })
    const listener = await bus.start('listener', { limits: NO_PINGS })
    await listener.subscribe('tick')
    await listener.subscribe('marker')
    await sender.broadcast('tick', 10)
    await listener.untilReceived('tick', 10)

    listener.process.stop()
    await sender.broadcast('tick', 10, 10)
    const unsubscribed = listener.unsubscribe('tick')
    listener.process.continue()
    await unsubscribed
    const silentFrom = (await listener.received('tick')).length
    await sender.untilUnsubscribed('tick')
    expect(await sender.broadcast('tick', 1000, 20)).to.equal(0)

    const bytesAfterMarker = async (count: number) => {
      expect(await sender.broadcast('marker')).to.equal(1)
      await listener.untilReceived('marker', count)
      return listener.process.bytesRead()
    }
    const before = await bytesAfterMarker(1)
    const markerSize = (await bytesAfterMarker(2)) - before
    expect(await sender.broadcast('tick', 1000, 20)).to.equal(0)
    const bytes = (await bytesAfterMarker(3)) - before - markerSize

    expect(bytes, 'a marker and whatever was read before it').to.equal(markerSize)
    expectNumbers(await listener.received('tick'), 'sender', silentFrom)
  })

  it(`G6: deliver each event broadcast after ready, in ${ROUNDS} rounds`, async () => {
    const sender = await bus.start('sender')
    const listener = await bus.start('listener')
    await listener.waitUntilConnectedTo('sender')

    for (let round = 0; round < ROUNDS; round++) {
      await listener.subscribe('tick')
      expect(await sender.broadcast('tick', 1, round), `round ${round}`).to.equal(1)
      await listener.untilReceived('tick', round + 1)
      await listener.unsubscribe('tick')
    }

    expectNumbers(await listener.received('tick'), 'sender', ROUNDS)
  })

  it('G6: are not ready before a stopped peer has acknowledged them', async () => {
    const sender = await bus.start('sender')
    const listener = await bus.start('listener')
    await listener.waitUntilConnectedTo('sender')
    await sender.waitUntilConnectedTo('listener')
    let isReady = false

    sender.process.stop()
    const ready = listener.subscribe('tick').then(() => {
      isReady = true
    })
    await listener.process.echo()
    expect(isReady).to.equal(false)
    sender.process.continue()
    await ready

    expect(await sender.broadcast('tick')).to.equal(1)
    await listener.untilReceived('tick', 1)
  })
})
