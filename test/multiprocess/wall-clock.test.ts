import { lstat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { useBus } from './bus'
import { shiftDate } from './fault-procedures'
import type { RemoteEndpoint } from './remote-endpoint'

const HOUR = 3_600_000

describe('a jump of the wall clock', () => {
  const bus = useBus()

  /** Notices a stopped peer soon, and sometimes one that is only slow. */
  const quick = { pingInterval: 100, silentPings: 3 }

  /** Looks as often, and takes an hour of silence for as much as the other, but nothing that happens here. */
  const patient = { pingInterval: 100, silentPings: 300 }

  for (const [direction, shift] of Object.entries({ forward: HOUR, back: -HOUR })) {
    it(`G6, G9, G13: an hour ${direction} affects neither timers nor links`, async () => {
      const shifted = await bus.start('shifted', { limits: quick })
      const other = await bus.start('other', { limits: quick })
      const calm = [
        await bus.startIn(shifted.process, 'shifted-calm', { limits: patient }),
        await bus.startIn(other.process, 'other-calm', { limits: patient }),
      ]
      for (const member of [shifted, other]) await member.subscribe('tick')

      await shifted.process.call(shiftDate, shift)
      const newcomer = await bus.start('newcomer', { limits: quick })
      await shifted.waitUntilConnectedTo('newcomer')
      for (const sender of [shifted, other, newcomer]) await sender.broadcast('tick', 10)
      for (const listener of [shifted, other]) await listener.untilReceived('tick', 30)

      // A silent peer is noticed on both sides of the jump, and no other is.
      newcomer.process.stop()
      for (const member of [shifted, other]) await member.untilNotice('unresponsive', 'newcomer')
      newcomer.process.continue()
      for (const member of [shifted, other]) {
        await member.untilNotice('recovered', 'newcomer')
        const isOfLife = (kind: string) => kind === 'unresponsive' || kind === 'recovered'
        expect((await newsOf(member)).filter((kind) => !isOfLife(kind))).to.deep.equal([])
      }
      for (const member of calm) expect(await newsOf(member)).to.deep.equal([])
    })
  }

  it('G9: forward does not make others remove a socket file that is about to be published', async () => {
    const process = await bus.processes.participant()
    const path = join(bus.directory, '0000000000000.new')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))

    await process.call(shiftDate, HOUR)
    await bus.startIn(process, 'shifted')

    const isThere = await lstat(path).then(
      (stats) => stats.isSocket(),
      () => false,
    )
    await new Promise((resolve) => server.close(resolve))
    expect(isThere).to.equal(true)
  })
})

async function newsOf(member: RemoteEndpoint): Promise<string[]> {
  return (await member.notices()).map(({ kind }) => kind).filter((kind) => kind !== 'joined')
}
