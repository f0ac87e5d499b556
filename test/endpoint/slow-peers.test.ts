import { setTimeout as passed } from 'node:timers/promises'
import { expect } from 'chai'
import type { Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { Watched } from '../support/watched'

const EVENT = Buffer.alloc(1000)
const LIMITS = {
  frameBytes: 4096,
  windowBytes: 2000,
  highWaterMark: 10_000,
  outboxBytes: 30_000,
  patience: 2 ** 31 - 1,
}

describe('Endpoint.broadcast to several slow peers', () => {
  const bus = freshBus()
  let a: Endpoint
  let handlers: HeldHandler[]

  /** Two receivers with used-up windows, whose outboxes exceed the mark with the next event. */
  beforeEach(async () => {
    a = await bus.start('a', { limits: LIMITS })
    handlers = [new HeldHandler(), new HeldHandler()]
    for (const [index, handler] of handlers.entries()) {
      const receiver = await bus.start(`b${index}`, { limits: LIMITS })
      await receiver.subscribe('tick', handler.handle).ready
    }
    for (const _ of numbers(2)) a.broadcastNowait('tick', EVENT)
    await until(
      () => handlers.every(({ begun }) => begun.length === 1) && a.peers.every((peer) => peer.queuedBytes === 0),
    )
    while (a.broadcastNowait('tick', EVENT)) {}
  })

  for (const first of [0, 1]) {
    it(`waits for all of them, also if b${first} is the first to read (G6)`, async () => {
      const sent = new Watched(a.broadcast('tick', EVENT))
      handlers[first]?.release()
      await until(() => a.peers.some(({ name, queuedBytes }) => name === `b${first}` && queuedBytes === 0))
      expect(sent.isDone).to.equal(false)
      handlers[1 - first]?.release()
      await sent.done
      expect(Math.max(...a.peers.map(({ queuedBytes }) => queuedBytes))).to.be.at.most(LIMITS.highWaterMark)
      expect(a.peers.map(({ state }) => state)).to.deep.equal(['connected', 'connected'])
    })
  }
})

describe('A lagging peer', () => {
  const bus = freshBus()

  it('recovers when it has read a window, and not before (G8)', async () => {
    const a = await bus.start('a', { limits: { ...LIMITS, patience: 1 } })
    const b = await bus.start('b', { limits: LIMITS })
    const handler = new HeldHandler()
    await b.subscribe('tick', handler.handle).ready
    for (const _ of numbers(2)) a.broadcastNowait('tick', EVENT)
    await until(() => handler.begun.length === 1 && a.peers[0]?.queuedBytes === 0)
    while (a.broadcastNowait('tick', EVENT)) {}
    await a.broadcast('tick', EVENT)
    expect(a.peers[0]?.state).to.equal('lagging')
    const recovered: number[] = []
    a.on('recovered', ({ queuedBytes }) => recovered.push(queuedBytes))
    const queued = a.peers[0]?.queuedBytes ?? 0
    handler.releaseOne()
    await until(() => handler.begun.length === 2)
    expect(recovered).to.deep.equal([])
    for (let count = 0; count < 3; count++) handler.releaseOne()
    await until(() => recovered.length > 0 || handler.begun.length > 4)
    handler.release()
    await until(() => recovered.length > 0)
    expect(recovered).to.have.length(1)
    expect(recovered[0]).to.be.within(1, queued)
    handler.release()
  })
})

describe('A slow peer', () => {
  const bus = freshBus()
  const PACED = { ...LIMITS, patience: 200 }

  /** A sender, and a receiver whose handler takes 20 ms for each event. */
  async function pace(limits: object) {
    const a = await bus.start('a', { limits: { ...PACED, ...limits } })
    const b = await bus.start('b', { limits: LIMITS })
    const got: unknown[] = []
    await b.subscribe('tick', async ({ payload }) => {
      await passed(20)
      got.push(payload)
    }).ready
    const paces: string[] = []
    for (const change of ['slow', 'lagging'] as const)
      a.on(change, ({ waitedMs }) => paces.push(`${change} ${waitedMs > 0}`))
    return { a, got, paces }
  }

  it('paces a sender for as long as it reads, loses nothing, and is reported (G8)', async () => {
    const { a, got, paces } = await pace({})
    for (let count = 0; count < 40; count++) await a.broadcast('tick', EVENT)
    await until(() => got.length === 40)
    expect(paces).to.deep.equal(['slow true'])
    expect(a.peers[0]?.state).to.equal('connected')
    expect(a.peers[0]?.waitedMs).to.be.greaterThan(PACED.patience)
  })

  it('lags when it has used up slowShare of the time of its senders (G8)', async () => {
    const { a, paces } = await pace({ slowShare: 0.03 })
    for (let count = 0; paces.length < 2 && count < 400; count++) await a.broadcast('tick', EVENT)
    expect(paces).to.deep.equal(['slow true', 'lagging true'])
  })
})

describe('a peer that lags and is unresponsive', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect
  const SILENT = { ...LIMITS, patience: 1, pingInterval: 20, silentPings: 1 }

  /** The changes of pace that an endpoint emits, each with the state of the peer: `change: state`. */
  function pacesOf(endpoint: Endpoint): string[] {
    const paces: string[] = []
    for (const change of ['lagging', 'unresponsive', 'responsive', 'recovered'] as const) {
      endpoint.on(change, ({ state }) => paces.push(`${change}: ${state}`))
    }
    return paces
  }

  /** Broadcasts until the peer has used up the endpoint's patience and has missed a ping. Either may come first. */
  async function neglect(a: Endpoint, payload: Buffer): Promise<string[]> {
    const paces = pacesOf(a)
    while (!paces.some((pace) => pace.startsWith('lagging'))) await a.broadcast('tick', payload)
    await until(() => paces.length === 2)
    expect(paces.splice(0).map((pace) => pace.split(':')[0])).to.have.members(['lagging', 'unresponsive'])
    return paces
  }

  it('is responsive when it speaks, and recovers when nothing is queued for it any more (G8, G13)', async () => {
    const a = await bus.start('a', { limits: SILENT })
    const peer = await connectPeer(a, { window: 2 * LIMITS.highWaterMark })
    await peer.want({ type: 'tick' })
    const paces = await neglect(a, EVENT)
    // In one chunk: the endpoint hears the peer before it reads the credit.
    peer.say({ kind: 'pong' }, { kind: 'credit', bytes: 2 ** 20, events: 2 ** 10 })
    await until(() => paces.length >= 2)
    expect(paces.slice(0, 2)).to.deep.equal(['responsive: lagging', 'recovered: connected'])
  })

  it('does not recover while it is silent, even when nothing is queued for it any more (G8, G13)', async () => {
    const a = await bus.start('a', { limits: { ...SILENT, frameBytes: 2 ** 20, outboxBytes: 2 ** 23 } })
    const peer = await connectPeer(a, { window: 2 ** 31 })
    await peer.want({ type: 'tick' })
    peer.pause()
    const paces = await neglect(a, Buffer.alloc(100_000))
    peer.resume()
    await until(() => a.peers[0]?.queuedBytes === 0)
    expect(a.peers[0]?.state).to.equal('unresponsive')
    expect(paces).to.deep.equal([])
    peer.say({ kind: 'pong' })
    await until(() => paces.length >= 2)
    expect(paces.slice(0, 2)).to.deep.equal(['responsive: connected', 'recovered: connected'])
  })
})
