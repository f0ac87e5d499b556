import { expect } from 'chai'
import { Endpoint } from '../../src'
import { useBus } from './bus'
import { Heard, MEMBERS, Ready, Speak, Stop } from './cluster-events'
import type { RemoteProcess } from './remote-process'

describe('a main thread, a worker thread and two cluster workers', () => {
  const bus = useBus('shared')
  let observer: Endpoint
  let primary: RemoteProcess

  before(async () => {
    observer = await bus.join('observer')
    const ready = observer.stream(Ready, { limit: MEMBERS.length })
    primary = await bus.processes.run('cluster-primary.ts', bus.directory)
    for await (const _ of ready);
  })

  it('are four endpoints', async () => {
    await observer.waitUntilConnectedTo(MEMBERS)
    const pids = new Map(observer.peers.map(({ name, pid }) => [name, pid]))
    expect([...pids.keys()].sort()).to.deep.equal(MEMBERS)
    expect(new Set(observer.peers.map(({ id }) => id)).size).to.equal(MEMBERS.length)
    expect(pids.get('thread')).to.equal(pids.get('primary'))
    expect(new Set(pids.values()).size).to.equal(MEMBERS.length - 1)
  })

  it('receive each event of each other once', async () => {
    for (const speaker of MEMBERS) {
      const heard = observer.stream(Heard, { limit: MEMBERS.length })
      await heard.ready
      expect(await observer.broadcast(Speak, undefined, { to: speaker })).to.equal(1)
      const listeners: string[] = []
      for await (const { payload, origin } of heard) {
        expect(payload.from).to.equal(speaker)
        listeners.push(origin)
      }
      expect(listeners.sort()).to.deep.equal(MEMBERS)
    }
  })

  it('can be dialled directly while the primary is stopped', async () => {
    primary.stop()
    const limits = { handshakeTimeout: 500 }
    await using newcomer = await Endpoint.start({ name: 'newcomer', directory: bus.directory, limits })
    // These run; the primary and its thread are stopped.
    await newcomer.waitUntilConnectedTo(['observer', 'worker-1', 'worker-2'])
    const linked = newcomer.peers.map(({ name }) => name).sort()
    primary.continue()

    expect(linked).to.deep.equal(['observer', 'worker-1', 'worker-2'])
    await newcomer.waitUntilConnectedTo(MEMBERS)
  })

  it('G12: exit once all have closed', async () => {
    await observer.broadcast(Stop)
    expect(await primary.exit).to.deep.equal({ code: 0, signal: null })
    expect(await bus.published()).to.deep.equal(['observer'])
  })
})
