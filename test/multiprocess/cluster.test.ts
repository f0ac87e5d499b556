import { expect } from 'chai'
import { Endpoint } from '../../src'
import { Bus } from './bus'
import { Heard, MEMBERS, Ready, Speak, Stop } from './cluster-events'
import type { RemoteProcess } from './remote-process'

describe('a main thread, a worker thread and two cluster workers', () => {
  const bus = new Bus()
  let observer: Endpoint
  let primary: RemoteProcess

  before(async () => {
    await bus.open()
    observer = await Endpoint.start({ name: 'observer', directory: bus.directory })
    const ready = observer.stream(Ready, { limit: MEMBERS.length })
    primary = await bus.processes.run('cluster-primary.ts', bus.directory)
    for await (const _ of ready);
  })

  after(async () => {
    await observer.close()
    await bus.end()
  })

  it('are endpoints of their own', async () => {
    await observer.waitUntilConnectedTo(MEMBERS)
    const pids = new Map(observer.peers.map(({ name, pid }) => [name, pid]))
    expect([...pids.keys()].sort()).to.deep.equal(MEMBERS)
    expect(new Set(observer.peers.map(({ id }) => id)).size).to.equal(MEMBERS.length)
    expect(pids.get('thread')).to.equal(pids.get('primary'))
    expect(new Set(pids.values()).size).to.equal(MEMBERS.length - 1)
  })

  it('hear each other once', async () => {
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

  it('are dialled each on their own, the cluster workers not through their primary', async () => {
    primary.stop()
    const limits = { handshakeTimeout: 500 }
    await using newcomer = await Endpoint.start({ name: 'newcomer', directory: bus.directory, limits })
    // Whoever goes on, however late; the two others cannot.
    await newcomer.waitUntilConnectedTo(['observer', 'worker-1', 'worker-2'])
    const linked = newcomer.peers.map(({ name }) => name).sort()
    primary.continue()

    expect(linked).to.deep.equal(['observer', 'worker-1', 'worker-2'])
    await newcomer.waitUntilConnectedTo(MEMBERS)
  })

  it('G12: end of themselves when all have closed', async () => {
    await observer.broadcast(Stop)
    expect(await primary.exit).to.deep.equal({ code: 0, signal: null })
    expect(await bus.published()).to.deep.equal(['observer'])
  })
})
