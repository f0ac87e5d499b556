import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { useBus } from './bus'
import { blockUntil } from './fault-procedures'
import { expectNumbers } from './numbers'
import type { RemoteEndpoint } from './remote-endpoint'

const EVENTS = 1000

/** How to block a peer and let it continue, and for at least how many seconds. */
interface Standstill {
  readonly begin: (still: RemoteEndpoint) => Promise<void> | void
  readonly end: (still: RemoteEndpoint) => void
  readonly seconds: number
}

describe('a blocked peer', () => {
  const bus = useBus()

  /** Notices a blocked peer soon, and sometimes one that is only slow. */
  const limits = { pingInterval: 200, silentPings: 2 }
  /** The blocked peer continues after the others have received everything. */
  async function expectIsolated({ begin, end, seconds }: Standstill): Promise<void> {
    const sender = await bus.start('sender', { limits })
    // Must not find the others unresponsive after its own standstill.
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
    // It has received nothing from the others meanwhile, but it has not pinged either.
    expect(await newsOf(still)).to.deep.equal([])
  }

  it('G5, G8, G13: is unresponsive, not lost, and does not affect others while stopped for ten seconds', async () => {
    await expectIsolated({
      begin: ({ process }) => process.stop(),
      end: ({ process }) => process.continue(),
      seconds: 10,
    })
  })

  it('G5, G8, G13: is unresponsive, not lost, and does not affect others while its loop blocks for five seconds', async () => {
    const sign = () => join(bus.logs, 'go-on')
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
