import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import type { Loss } from '../../src'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'

/** No pings and no rescans, so that only the end of its stream tells of a death. */
const DEAF = { pingInterval: 600_000, rescanInterval: 600_000 }

describe('a peer that is killed', () => {
  const bus = useBus()

  it('G13: is lost to all others at once, and connects again after a restart', async () => {
    const options = { watch: false, limits: DEAF }
    const survivors = [await bus.start('one', options), await bus.start('two', options)]
    const victim = await bus.start('victim')
    const idsBefore = await Promise.all(survivors.map((survivor) => idOf(survivor, 'victim')))

    victim.process.kill()
    await Promise.all(survivors.map((survivor) => survivor.untilNotice('lost', 'victim')))
    for (const survivor of survivors) expect(await survivor.isConnectedTo('victim')).to.equal(false)
    await until(async () => !(await bus.published()).includes('victim'))

    const restarted = await bus.start('victim')
    const idsAfter = await Promise.all(survivors.map((survivor) => idOf(survivor, 'victim')))
    for (const id of idsAfter) expect(idsBefore).to.not.include(id)
    for (const survivor of survivors) await survivor.subscribe('news')
    expect(await restarted.broadcast('news')).to.equal(2)
    for (const survivor of survivors) {
      await survivor.untilReceived('news', 1)
      expect(await survivor.received('news')).to.deep.equal([{ origin: 'victim', number: 0 }])
    }
  })

  it('can restart under its name before the others notice its death', async () => {
    const survivor = await bus.start('survivor')
    const victim = await bus.start('victim')
    const successor = await bus.processes.participant()
    const idBefore = await idOf(survivor, 'victim')

    survivor.process.stop()
    victim.process.kill()
    await victim.process.exit
    const starting = bus.startIn(successor, 'victim')
    await successor.echo()
    survivor.process.continue()
    await starting

    await survivor.untilNotice('lost', 'victim')
    expect(await idOf(survivor, 'victim')).to.not.equal(idBefore)
  })

  it('leaves a file that the next endpoint removes', async () => {
    const dead = [await bus.start('one'), await bus.start('two')]
    // Stopped first, so that neither removes the file of the other.
    for (const { process } of dead) process.stop()
    for (const { process } of dead) process.kill()
    await Promise.all(dead.map(({ process }) => process.exit))
    expect(await bus.published()).to.deep.equal(['one', 'two'])

    const next = await bus.start('next')

    expect(await bus.published()).to.deep.equal(['next'])
    expect(await next.peers()).to.deep.equal([])
  })

  it('G5: is lost with a count of its undelivered events', async () => {
    const sender = await bus.join('sender')
    const victim = await bus.start('victim')
    await victim.subscribe('tick')
    victim.process.stop()
    const filler = new Uint8Array(64 * 1024)
    for (let number = 0; number < 50; number++) sender.broadcastNowait('tick', { number, filler })
    // The kernel takes only a small part of 3 MB.
    await setImmediate()
    const queuedBytes = sender.peers[0]?.queuedBytes ?? 0
    expect(queuedBytes).to.be.above(2 * 1024 * 1024)

    const lost = new Promise<Loss>((resolve) => sender.on('lost', (_, loss) => resolve(loss)))
    victim.process.kill()

    const { undelivered, unfinished } = await lost
    expect(undelivered).to.be.within(Math.floor(queuedBytes / filler.length) - 4, 50)
    expect(unfinished).to.equal(0)
  })

  it('G1: delivers no part of a large event that it was still sending', async () => {
    const limits = { frameBytes: 64 * 1024 * 1024, outboxBytes: 128 * 1024 * 1024 }
    const size = 8 * 1024 * 1024
    const receiver = await bus.start('receiver', { limits })
    await receiver.subscribe('large')
    const sender = await bus.start('sender', { limits })
    await sender.broadcastNowait('large', 1, size)
    await receiver.untilReceived('large', 1)
    const readBefore = await receiver.process.bytesRead()
    expect(readBefore).to.be.above(size)

    receiver.process.stop()
    await sender.broadcastNowait('large', 1, size)
    await sender.process.echo()
    sender.process.kill()
    await sender.process.exit
    receiver.process.continue()
    await receiver.untilNotice('lost', 'sender')

    const readOfIt = (await receiver.process.bytesRead()) - readBefore
    expect(readOfIt, 'bytes of the second event').to.be.within(64 * 1024, size - 1)
    expect(await receiver.received('large')).to.have.lengthOf(1)
    const [loss] = (await receiver.notices()).filter(({ kind }) => kind === 'lost')
    expect(loss?.cause).to.equal('LAHJA_CONNECTION_FAILED')
  })
})

/** The id of the peer with this name, once it is connected. */
async function idOf(endpoint: RemoteEndpoint, peer: string): Promise<string> {
  await endpoint.waitUntilConnectedTo(peer)
  const ids = (await endpoint.peers()).filter(({ name }) => name === peer).map(({ id }) => id)
  expect(ids).to.have.lengthOf(1)
  return ids.join()
}
