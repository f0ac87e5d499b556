import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import type { Endpoint } from '../src'
import { freshBus, until } from './support/bus'
import { rawPeers } from './support/raw-peer'

describe('An endpoint that loses events', () => {
  const bus = freshBus()
  const raw = rawPeers()
  let warnings: Error[]
  let shop: Endpoint
  const collect = (warning: Error) => void (warning.name === 'LahjaWarning' && warnings.push(warning))

  beforeEach(async () => {
    warnings = []
    process.on('warning', collect)
    shop = await bus.start('shop')
  })
  afterEach(() => process.off('warning', collect))

  /** A peer leaves, or dies, while so many events for it are queued. */
  async function lose(events: number, end: 'left' | 'lost'): Promise<void> {
    const peer = await raw.connect(shop)
    await peer.want({ type: 'large' })
    peer.pause()
    for (let count = 0; count < events; count++) shop.broadcastNowait('large', Buffer.alloc(300_000))
    if (end === 'left') peer.say({ kind: 'goodbye', reason: 'closing', text: '' })
    peer.destroy()
    await until(() => shop.peers.length === 0)
    await setImmediate()
  }

  it('warns once, with the peer and the counts, if nothing listens to lost', async () => {
    await lose(20, 'lost')
    await lose(20, 'lost')
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.have.property('code', 'LAHJA_LOST')
    expect(warnings[0]?.message).to.match(
      /^endpoint shop: the link with raw broke, with \d+ undelivered, \d+ unconfirmed and 0 unfinished events for it; listen to its event 'lost' to learn of all others$/,
    )
  })

  it('does not warn if something listens to lost, or nothing was lost', async () => {
    await lose(0, 'lost')
    shop.on('lost', () => {})
    await lose(20, 'lost')
    expect(warnings).to.deep.equal([])
  })

  it('warns once, with the peer and the counts, if nothing listens to left', async () => {
    await lose(0, 'left')
    expect(warnings).to.deep.equal([])
    await lose(20, 'left')
    await lose(20, 'left')
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.have.property('code', 'LAHJA_LEFT')
    expect(warnings[0]?.message).to.equal(
      "endpoint shop: raw has closed with 0 unfinished and 20 unhandled events from here; listen to its event 'left' to learn of all others",
    )
  })

  it('warns once, with the sender and the count, if nothing listens to gap', async () => {
    const limits = { frameBytes: 4096, outboxBytes: 20_000, highWaterMark: 10_000, windowBytes: 5000 }
    const source = await bus.start('source', { overflow: 'dropOldest', limits })
    const sink = await bus.start('sink', { limits })
    for (const _ of [1, 2]) {
      let release = () => {}
      const held = new Promise<void>((resolve) => (release = resolve))
      const subscription = sink.subscribe('tick', () => held)
      await subscription.ready
      for (let count = 0; count < 100; count++) source.broadcastNowait('tick', Buffer.alloc(1000))
      release()
      await until(() => source.peers.every(({ queuedBytes }) => queuedBytes === 0) && subscription.pending === 0)
      subscription.unsubscribe()
    }
    await until(() => warnings.length > 0)
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.have.property('code', 'LAHJA_GAP')
    expect(warnings[0]?.message).to.match(
      /^endpoint sink: source has dropped \d+ events for this endpoint, which is too slow or does not take so large an event; listen to its event 'gap' to learn of all others$/,
    )
  })
})
