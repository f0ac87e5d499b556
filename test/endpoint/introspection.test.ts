import { expect } from 'chai'
import { BoundaryCrossed, defineEvent, defineRequest, Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'

describe('introspection', () => {
  const bus = freshBus()
  const { connect } = rawPeers()

  it('answers requests for statistics, peers and a sign of life, of itself and of others', async () => {
    const { shop, desk } = await bus.startAll('shop', 'desk')
    await desk.subscribe('order.*', () => {}).ready
    for (const asked of ['shop', 'desk']) {
      const stats = await shop.request('$lahja.stats', undefined, { to: asked })
      expect(stats).to.deep.include({ name: asked, pid: process.pid, state: 'open' })
      const ping = await shop.request('$lahja.ping', undefined, { to: asked })
      expect(ping).to.deep.equal({ name: asked, id: asked === 'shop' ? shop.id : desk.id, pid: process.pid })
    }
    const peers = await shop.request('$lahja.peers', undefined, { to: 'shop' })
    expect(peers).to.have.length(1)
    expect(peers).to.have.nested.property('[0].name', 'desk')
    expect(peers).to.have.nested.property('[0].subscriptions').that.deep.equals(['order.*'])
  })

  it('has an answer of every endpoint with requestAll, also of those that it is kept from otherwise', async () => {
    const shop = await bus.start('shop', { groups: ['web'] })
    await bus.start('closed', { accepts: ['nothing.else'] })
    await shop.waitUntilConnectedTo('closed')
    const origins: string[] = []
    for await (const { origin, error } of shop.requestAll('$lahja.ping')) if (!error) origins.push(origin)
    expect(origins.sort()).to.deep.equal(['closed', 'shop'])
    expect(shop.isAnyEndpointSubscribedTo('lahja.ping')).to.equal(false)
    expect(shop.peers[0]?.responds).to.deep.equal([])
  })

  it('is off with introspection: false, and missing at peers that do not know it', async () => {
    const shop = await bus.start('shop', { introspection: false })
    const old = await connect(shop, { name: 'old' })
    await shop.waitUntilConnectedTo('old')
    const asked = shop.request('$lahja.ping', undefined, { to: 'old' })
    const { id } = await old.hears('request')
    old.say({ kind: 'decline', id })
    const declined = await rejection(asked)
    expect(declined).to.have.property('code', 'LAHJA_NO_SUBSCRIBERS')
    expect(declined).to.have.property('message').that.contains('its introspection is off, or it is too old')
    expect(await rejection(shop.request('$lahja.ping', undefined, { to: 'shop' }))).to.have.property(
      'code',
      'LAHJA_NO_SUBSCRIBERS',
    )
  })

  it('waits for an endpoint to be there if asked to', async () => {
    const shop = await bus.start('shop')
    const asked = shop.request('$lahja.ping', undefined, { to: 'desk', wait: 10_000 })
    const desk = await bus.start('desk')
    expect(await asked).to.have.property('id', desk.id)
  })

  it('keeps reserved types from programs', async () => {
    const shop = await bus.start('shop')
    const reserved = { code: 'LAHJA_INVALID_ARGUMENT' }
    const calls = [
      () => shop.subscribe('$lahja.stats', () => {}),
      () => shop.subscribe('$any.>', () => {}),
      () => shop.stream('$x'),
      () => shop.broadcastNowait('$x'),
      () => shop.respond('$lahja.ping', () => 1),
      () => shop.isAnyEndpointSubscribedTo('$lahja.ping'),
      () => defineEvent('$x'),
      () => defineRequest('$lahja.ping'),
      () => defineEvent('x', { redeliver: 1, deadLetter: '$x' }),
    ]
    for (const call of calls) expect(call, call.toString()).to.throw().that.includes(reserved)
    expect(await rejection(shop.broadcast('$x'))).to.include(reserved)
    expect(await rejection(shop.request('$x'))).to.include(reserved)
    expect(await rejection(Endpoint.start({ name: 'desk', directory: shop.directory, accepts: ['$x'] }))).to.include(
      reserved,
    )
  })

  it('refuses events of reserved types that a peer sends, whatever is subscribed', async () => {
    const shop = await bus.start('shop')
    const errors: unknown[] = []
    const types: string[] = []
    shop.on('error', (error) => errors.push(error))
    await shop.subscribe('>', ({ type }) => types.push(type)).ready
    const peer = await connect(shop, { name: 'peer' })
    peer.say({ kind: 'event', type: '$lahja.stats', payload: 1 })
    peer.say({ kind: 'event', type: 'tick', payload: 1 })
    await until(() => types.length > 0)
    expect(types).to.deep.equal(['tick'])
    expect(errors).to.have.length(1)
    expect(errors[0]).to.be.instanceOf(BoundaryCrossed)
  })
})
