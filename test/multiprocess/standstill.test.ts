import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { Bus } from './bus'
import { block } from './fault-procedures'
import { expectNumbers } from './numbers'
import type { RemoteEndpoint } from './remote-endpoint'

const EVENTS = 1000

describe('a peer that stands still', () => {
  const bus = new Bus()
  const limits = { ping: 200, silentPings: 2 }

  beforeEach(() => bus.open())
  afterEach(() => bus.end())

  /** Resolves when it goes on, of itself or because it is told to. */
  async function expectIsolated(standStill: (still: RemoteEndpoint) => Promise<void>): Promise<void> {
    const sender = await bus.start('sender', { limits })
    const still = await bus.start('still', { limits })
    const lively = await bus.start('lively', { limits })
    for (const member of [sender, still, lively]) await member.subscribe('tick')

    let goesOn = false
    const going = standStill(still).then(() => {
      goesOn = true
    })
    await sender.untilNotice('unresponsive', 'still')
    for (const speaker of [sender, lively]) expect(await speaker.broadcast('tick', EVENTS)).to.equal(3)
    for (const listener of [sender, lively]) await listener.untilReceived('tick', 2 * EVENTS)
    expect(goesOn, 'it stands still while the others have had everything').to.equal(false)
    await going

    for (const member of [sender, lively]) await member.untilNotice('recovered', 'still')
    await still.untilReceived('tick', 2 * EVENTS)
    const received = await still.received('tick')
    for (const origin of ['sender', 'lively']) {
      expectNumbers(
        received.filter((event) => event.origin === origin),
        origin,
        EVENTS,
      )
    }
    for (const member of [sender, lively]) expect(await newsOf(member)).to.deep.equal(['unresponsive', 'recovered'])
    // It has heard nothing of the others meanwhile, but it has not asked either.
    expect(await newsOf(still)).to.deep.equal([])
  }

  it('G5, G8, G13: because it is stopped for ten seconds, is unresponsive, not lost, and nobody else notices', async () => {
    await expectIsolated(async ({ process }) => {
      process.stop()
      await setTimeout(10_000)
      process.continue()
    })
  })

  it('G5, G8, G13: because its loop is blocked for five seconds, is unresponsive, not lost, and nobody else notices', async () => {
    await expectIsolated(({ process }) => process.call(block, 5000))
  })
})

async function newsOf(member: RemoteEndpoint): Promise<string[]> {
  return (await member.notices()).map(({ kind }) => kind).filter((kind) => kind !== 'joined')
}
