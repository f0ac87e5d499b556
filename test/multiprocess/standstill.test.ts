import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { Bus } from './bus'
import { blockUntil } from './fault-procedures'
import { expectNumbers } from './numbers'
import type { RemoteEndpoint } from './remote-endpoint'

const EVENTS = 1000

/** How one peer stands still, and for how many seconds at least. */
interface Standstill {
  readonly begin: (still: RemoteEndpoint) => Promise<void> | void
  readonly end: (still: RemoteEndpoint) => void
  readonly seconds: number
}

describe('a peer that stands still', () => {
  const bus = new Bus()

  /** Soon notices who stands still, and also who only gets no turn for a while. */
  const limits = { pingInterval: 200, silentPings: 2 }

  beforeEach(() => bus.open())
  afterEach(() => bus.end())

  /** It goes on when the others have had everything. */
  async function expectIsolated({ begin, end, seconds }: Standstill): Promise<void> {
    const sender = await bus.start('sender', { limits })
    // Silence as long as its own standstill would be too much for it.
    const still = await bus.start('still', { limits: { pingInterval: 1000, silentPings: seconds - 2 } })
    const lively = await bus.start('lively', { limits })
    for (const member of [sender, still, lively]) await member.subscribe('tick')

    const standstill = begin(still)
    const longEnough = setTimeout(1000 * seconds)
    await sender.untilNotice('unresponsive', 'still')
    for (const speaker of [sender, lively]) expect(await speaker.broadcast('tick', EVENTS)).to.equal(3)
    for (const listener of [sender, lively]) await listener.untilReceived('tick', 2 * EVENTS)
    await longEnough
    end(still)
    await standstill

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
    for (const member of [sender, lively]) {
      const isOfLife = (kind: string) => kind === 'unresponsive' || kind === 'recovered'
      expect((await newsOf(member)).filter((kind) => !isOfLife(kind))).to.deep.equal([])
    }
    // It has heard nothing of the others meanwhile, but it has not asked either.
    expect(await newsOf(still)).to.deep.equal([])
  }

  it('G5, G8, G13: because it is stopped for ten seconds, is unresponsive, not lost, and nobody else notices', async () => {
    await expectIsolated({
      begin: ({ process }) => process.stop(),
      end: ({ process }) => process.continue(),
      seconds: 10,
    })
  })

  it('G5, G8, G13: because its loop is blocked for five seconds, is unresponsive, not lost, and nobody else notices', async () => {
    const sign = () => join(bus.ledger, 'go-on')
    await expectIsolated({
      begin: ({ process }) => process.call(blockUntil, sign()),
      end: () => writeFileSync(sign(), ''),
      seconds: 5,
    })
  })
})

async function newsOf(member: RemoteEndpoint): Promise<string[]> {
  return (await member.notices()).map(({ kind }) => kind).filter((kind) => kind !== 'joined')
}
