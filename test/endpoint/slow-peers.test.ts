import { expect } from 'chai'
import type { Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { numbers } from '../support/members'

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

  for (const [first, last] of [
    [0, 1],
    [1, 0],
  ] as const) {
    it(`waits for all of them, also if b${first} is the first to read (G6)`, async () => {
      let isOver = false
      const sent = a.broadcast('tick', EVENT).then(() => {
        isOver = true
      })
      handlers[first]?.release()
      await until(() => a.peers.some(({ name, queuedBytes }) => name === `b${first}` && queuedBytes === 0))
      expect(isOver).to.equal(false)
      handlers[last]?.release()
      await sent
      expect(Math.max(...a.peers.map(({ queuedBytes }) => queuedBytes))).to.be.at.most(LIMITS.highWaterMark)
      expect(a.peers.map(({ state }) => state)).to.deep.equal(['connected', 'connected'])
    })
  }
})

describe('A lagging peer', () => {
  const bus = freshBus()

  it('recovers when its outbox is empty, and not before (G8)', async () => {
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
    for (let ended = 1; recovered.length === 0; ended++) {
      handler.releaseOne()
      await until(() => handler.ended.length === ended && (handler.begun.length > ended || recovered.length > 0))
    }
    expect(recovered).to.deep.equal([0])
    handler.release()
  })
})
