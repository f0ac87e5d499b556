import { chmodSync, chownSync, linkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { rawPeers } from '../support/raw-peer'
import { leaveStaleSocket } from '../support/stale-socket'
import { isRoot } from '../support/user'
import { useBus } from './bus'
import { consumption, hoardDescriptors, releaseDescriptors, socketFailures } from './fault-procedures'
import { RemoteFailure } from './remote-process'
import { until } from './until'

/** A process of Node itself has about 25. */
const DESCRIPTORS = 60

describe('a process without free file descriptors', () => {
  const bus = useBus()
  const limits = { redialMax: 200, rescanInterval: 200 }

  /** For an endpoint whose start waits for a peer that cannot answer. */
  const hasty = { ...limits, handshakeTimeout: 300 }

  it('G9: reports that it cannot accept, keeps its links, and accepts again once some are free', async () => {
    const short = await bus.startIn(await bus.processes.participantWithin(DESCRIPTORS), 'short', { limits })
    const known = await bus.start('known', { limits })
    await known.subscribe('tick')

    await short.process.call(hoardDescriptors, undefined)
    const newcomer = await bus.start('newcomer', { limits: hasty })
    await newcomer.subscribe('tick')
    await short.untilNotice('error', '')
    expect(await newcomer.isConnectedTo('short')).to.equal(false)
    expect(await short.broadcast('tick')).to.equal(1)

    await short.process.call(releaseDescriptors, undefined)
    await newcomer.waitUntilConnectedTo('short')
    expect(await short.broadcast('tick', 1, 1)).to.equal(2)
    await newcomer.untilReceived('tick', 1)
    await known.untilReceived('tick', 2)
    const kinds = (await short.notices()).map(({ kind }) => kind)
    expect(kinds).to.not.include.members(['lost'])
    expect(kinds.filter((kind) => kind === 'joined')).to.have.length(1 + 1)
  })

  it('removes no socket file, and removes that of a dead peer once some are free', async () => {
    const short = await bus.startIn(await bus.processes.participantWithin(DESCRIPTORS), 'short', { limits })
    const victim = await bus.start('victim', { limits })
    await victim.waitUntilConnectedTo('short')

    await short.process.call(hoardDescriptors, undefined)
    victim.process.kill()
    await short.untilNotice('lost', 'victim')
    await until(async () => (await short.process.call(socketFailures, undefined)).includes('EMFILE'))
    expect(await bus.published()).to.deep.equal(['short', 'victim'])

    await short.process.call(releaseDescriptors, undefined)
    await until(async () => !(await bus.published()).includes('victim'))
  })

  it('rejects a start with the reason, leaves no file, and starts once some are free', async () => {
    const process = await bus.processes.participantWithin(DESCRIPTORS)
    await process.call(hoardDescriptors, undefined)

    const failure = await bus.startIn(process, 'late', { limits }).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(RemoteFailure).with.property('code', 'LAHJA_CONNECTION_FAILED')
    expect(failure).to.have.property('message').which.includes('EMFILE').and.includes('(ulimit -n)')
    expect(await bus.published()).to.deep.equal([])

    await process.call(releaseDescriptors, undefined)
    await bus.startIn(process, 'late', { limits })
    expect(await bus.published()).to.deep.equal(['late'])
  })

  for (const name of ['late', 'other']) {
    it(`starts among 300 dead sockets of the name ${name}, and removes them`, async () => {
      const ids = Array.from({ length: 300 }, (_, number) => `${number}`.padStart(13, '0'))
      leaveStaleSocket(...ids.map((id) => join(bus.directory, `${name}~${id}.sock`)))
      const process = await bus.processes.participantWithin(DESCRIPTORS)
      await bus.startIn(process, 'late', { limits })
      await until(async () => (await bus.published()).length === 1)
    })
  }

  if (isRoot) {
    describe('in a directory where another user has linked a silent socket 300 times', () => {
      const raw = rawPeers()
      const secret = 'open sesame'

      /** Links a socket of another user under this name. */
      async function plant(name: string): Promise<void> {
        chmodSync(bus.directory, 0o1770)
        const id = (number: number) => `${number}`.padStart(13, '0')
        const { path } = await raw.listen({ directory: bus.directory, name, id: id(0) }, () => {})
        for (let link = 1; link < 300; link++) linkSync(path, join(bus.directory, `${name}~${id(link)}.sock`))
        chownSync(path, 12_345, 12_345)
      }

      it('G10: keeps its name', async () => {
        await plant('shop')
        const process = await bus.processes.participantWithin(DESCRIPTORS)
        await bus.startIn(process, 'shop', { secret, limits: { ...hasty, patience: 10 } })
      })

      it('G9: links with its peers, and has descriptors left', async () => {
        await plant('other')
        const late = await bus.startIn(await bus.processes.participantWithin(DESCRIPTORS), 'late', { secret })
        const known = await bus.start('known', { secret })
        await known.waitUntilConnectedTo('late')
        await late.subscribe('tick')
        expect(await known.broadcast('tick')).to.equal(1)
        expect((await late.process.call(consumption, undefined)).descriptors).to.be.below(40)
      })
    })
  }
})
