import { expect } from 'chai'
import { defineEvent } from '../../src'
import { freshBus, until } from '../support/bus'
import { payloadsAt } from '../support/payloads'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'

const Placed = defineEvent<number>('order.placed')

describe('Endpoint.subscribe with a pattern', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  /** The types that are broadcast; each pattern matches some of them. */
  const TYPES = ['order', 'order.placed', 'order.placed.late', 'orders.placed', 'task.placed', 'task', 'a.b.c.d']
  const CASES: readonly [pattern: string, matched: string[]][] = [
    ['order.placed', ['order.placed']],
    ['order.*', ['order.placed']],
    ['*.placed', ['order.placed', 'orders.placed', 'task.placed']],
    ['order.>', ['order.placed', 'order.placed.late']],
    ['order.*.late', ['order.placed.late']],
    ['*', ['order', 'task']],
    ['*.*', ['order.placed', 'orders.placed', 'task.placed']],
    ['a.*.c.>', ['a.b.c.d']],
    ['>', TYPES],
  ]

  for (const [pattern, matched] of CASES) {
    it(`like ${pattern} receives ${matched.join(', ')} from a peer and from its own endpoint`, async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const got: string[] = []
      let ends = 0
      for (const each of [a, b]) {
        each.subscribe('end', () => ends++)
        await each.subscribe(pattern, ({ type }) => type !== 'end' && got.push(`${type} at ${each.name}`)).ready
      }
      const counts: [string, number][] = []
      for (const type of TYPES) counts.push([type, await a.broadcast(type)])
      await a.broadcast('end')
      await until(() => ends === 2)
      expect(counts).to.deep.equal(TYPES.map((type) => [type, matched.includes(type) ? 2 : 0]))
      for (const { name } of [a, b]) {
        const here = got.filter((each) => each.endsWith(` at ${name}`))
        expect(here).to.deep.equal(matched.map((type) => `${type} at ${name}`))
      }
    })
  }

  it('receives an event once per matching subscription, though it is sent once', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const peer = await connectPeer(a)
    await peer.want({ type: 'order.*' }, { type: 'order.>' }, { type: 'order.placed' })
    const got: string[] = []
    for (const pattern of ['order.*', '>', 'order.placed', '*.placed', '*.placed']) {
      await b.subscribe(pattern, ({ type }) => got.push(`${pattern} ${type}`)).ready
    }
    expect(await a.broadcast(Placed, 1)).to.equal(2)
    await until(() => got.length === 5 && peer.types.length > 0)
    await a.broadcast('order.last')
    await until(() => peer.types.includes('order.last') && got.includes('> order.last'))
    expect(got.filter((each) => each.endsWith('placed')).sort()).to.deep.equal([
      '*.placed order.placed',
      '*.placed order.placed',
      '> order.placed',
      'order.* order.placed',
      'order.placed order.placed',
    ])
    expect(peer.types).to.deep.equal(['order.placed', 'order.last'])
  })

  it("keeps a sender's order across all matching types", async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const got = await payloadsAt(b, 'n.*')
    for (let n = 0; n < 200; n++) await a.broadcast(`n.t${n % 7}`, n)
    await until(() => got.length === 200)
    expect(got).to.deep.equal(Array.from({ length: 200 }, (_, n) => n))
  })

  it('G2: receives nothing after unsubscribe, while a narrower subscription goes on', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const got: string[] = []
    const wide = b.subscribe('order.>', ({ type }) => got.push(`wide ${type}`))
    const narrow = b.subscribe('order.placed', ({ type }) => got.push(`narrow ${type}`))
    await Promise.all([wide.ready, narrow.ready])
    expect(await a.broadcast('order.sent')).to.equal(1)
    await until(() => got.length === 1)
    wide.unsubscribe()
    await until(() => !a.isEndpointSubscribedTo('b', 'order.sent'))
    expect(await a.broadcast('order.sent')).to.equal(0)
    expect(await a.broadcast(Placed, 1)).to.equal(1)
    await until(() => got.length === 2)
    expect(got).to.deep.equal(['wide order.sent', 'narrow order.placed'])
  })

  it('takes effect for types broadcast before, each time it is made anew', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    for (const pattern of ['order.*', '>', '*.placed']) {
      expect(await a.broadcast(Placed, 1)).to.equal(0)
      const subscription = b.subscribe(pattern, () => {})
      await subscription.ready
      expect(await a.broadcast(Placed, 1)).to.equal(1)
      subscription.unsubscribe()
      await until(() => !a.isEndpointSubscribedTo('b', 'order.placed'))
    }
  })

  it('works for stream and waitFor, whose events carry their type', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const stream = b.stream('order.*', { limit: 2 })
    const event = b.waitFor('*.sent')
    await stream.ready
    await until(() => a.isEndpointSubscribedTo('b', 'order.sent'))
    await a.broadcast(Placed, 1)
    await a.broadcast('order.sent', 2)
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    expect(types).to.deep.equal(['order.placed', 'order.sent'])
    expect(await event).to.deep.equal({ type: 'order.sent', payload: 2, origin: 'a', headers: {} })
  })

  for (const pattern of ['order.>.x', '>.x', 'order.', '.x', 'a..b', 'order.pl*', 'order. x', '']) {
    it(`throws InvalidArgument for '${pattern}'`, async () => {
      const a = await bus.start('a')
      expect(await rejection(() => a.subscribe(pattern, () => {}))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(a.subscribedEvents.size).to.equal(0)
    })
  }

  for (const type of ['order.*', '>', '*']) {
    it(`leaves ${type} invalid as the type of a broadcast or request`, async () => {
      const a = await bus.start('a')
      a.subscribe('>', () => {})
      expect(await rejection(a.broadcast(type, 1))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(await rejection(() => a.broadcastNowait(type, 1))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(await rejection(a.request(type, 1))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
    })
  }
})
