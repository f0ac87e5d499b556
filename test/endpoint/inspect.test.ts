import { inspect } from 'node:util'
import { expect } from 'chai'
import { freshBus } from '../support/bus'

const ONE_LINE = { breakLength: Number.POSITIVE_INFINITY, compact: true }

describe('util.inspect', () => {
  const bus = freshBus()

  it('shows the name, state and counts of an endpoint, and neither internals nor its secret', async () => {
    const { shop, till } = await bus.startEach({
      shop: { groups: ['web'], secret: 'sesame' },
      till: { secret: 'sesame' },
    })
    shop.subscribe('order.placed', () => {})
    expect(inspect(shop, ONE_LINE)).to.equal(
      `Endpoint { name: 'shop', id: '${shop.id}', groups: [ 'web' ], directory: '${bus.directory}', ` +
        `state: 'open', peers: 1, subscriptions: 1, queuedBytes: 0 }`,
    )
    await till.close()
    expect(inspect(till, ONE_LINE)).to.contain(`state: 'closed'`)
    for (const shown of [inspect(shop, { depth: 9, showHidden: true }), inspect(shop.peers, { depth: 9 })]) {
      expect(shown).not.to.contain('sesame')
    }
  })

  it('shows the types that a peer subscribes and responds to', async () => {
    const { shop, till } = await bus.startEach({ shop: {}, till: {} })
    await till.subscribe('order.*', () => {}).ready
    await till.respond('sum', () => 3).ready
    const { peers } = shop
    const shown = inspect(peers, ONE_LINE)
    expect(shown).to.contain("subscriptions: [ 'order.*' ], responds: [ 'sum' ]")
    expect(inspect({ ...peers[0] }, ONE_LINE)).to.equal(shown.slice(2, -2))
    expect(structuredClone(peers)).to.deep.equal(peers)
  })

  it('shows the type, state and buffered events of a stream', async () => {
    const shop = await bus.start('shop')
    const stream = shop.stream('tick')
    await shop.broadcast('tick', 1)
    await shop.drained()
    expect(inspect(stream, ONE_LINE)).to.match(/^EventStream \{ type: 'tick', state: 'open', buffered: [01] \}$/)
    await stream.return()
    expect(inspect(stream, ONE_LINE)).to.equal(`EventStream { type: 'tick', state: 'ended', buffered: 0 }`)
  })

  it('shows a proxy of an endpoint, and what inherits from one, a subscription or a stream', async () => {
    const shop = await bus.start('shop')
    for (const object of [shop, shop.subscribe('tick', () => {}), shop.stream('tick')]) {
      for (const wrapped of [new Proxy(object, {}), Object.create(object)]) {
        expect(inspect({ wrapped })).to.contain(object.constructor.name)
      }
    }
  })

  it('shows a responder like a subscription', async () => {
    const shop = await bus.start('shop')
    const responder = shop.respond('order.get', () => 1)
    expect(inspect(responder, ONE_LINE)).to.equal(`Subscription { type: 'order.get', state: 'open', pending: 0 }`)
  })
})
