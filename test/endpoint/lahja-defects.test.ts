import { expect } from 'chai'
import { defineRequest, HandlerError, NoSubscribers, RemoteDisconnected, RequestTimeout } from '../../src'
import { freshBus, until } from '../support/bus'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { reportsOf } from '../support/reports'
import { throwing } from '../support/throwing'
import { warningThat } from '../support/warning'

const Ask = defineRequest<number, number>('ask')

/** Defects of Lahja 0.17 that this package must not have. */
describe('Endpoint avoids the defects of the Python Lahja:', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('a pending request settles when its peer dies', async () => {
    const a = await bus.start('a')
    const peer = await connectPeer(a)
    await peer.want({ type: 'ask', responds: true })
    const outcomes = [1, 2, 3].map((n) => rejection(a.request(Ask, n, { timeout: Number.POSITIVE_INFINITY })))
    await until(() => peer.heardOf('request').length === 3)
    peer.destroy()
    for (const error of await Promise.all(outcomes)) expect(error).to.be.instanceOf(RemoteDisconnected)
  })

  it('a pending request settles if its peer never answers', async () => {
    const a = await bus.start('a')
    const peer = await connectPeer(a)
    await peer.want({ type: 'ask', responds: true })
    expect(await rejection(a.request(Ask, 1, { timeout: 10 }))).to.be.instanceOf(RequestTimeout)
    await until(() => peer.heardOf('cancel').length === 1)
    expect(peer.heardOf('cancel')[0]?.id).to.equal(peer.heardOf('request')[0]?.id)
  })

  for (const options of [{}, { to: 'b' }, { except: 'c' }, { internal: true }, { to: ['b', 'c'], except: 'c' }]) {
    it(`requireSubscriber is also checked with other options: ${JSON.stringify(options)}`, async () => {
      const { a, b, c } = await bus.startAll('a', 'b', 'c')
      const demand = { ...options, requireSubscriber: true }
      const elsewhere = options.to || options.except || options.internal
      if (elsewhere) await c.subscribe('news', () => {}).ready
      for (const attempt of [a.broadcast('news', 1, demand), () => a.broadcastNowait('news', 1, demand)]) {
        expect(await rejection(attempt))
          .to.be.instanceOf(NoSubscribers)
          .and.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
      }
      const meant = options.internal ? a : b
      await meant.subscribe('news', () => {}).ready
      expect(await a.broadcast('news', 1, demand)).to.equal(1)
    })
  }

  it('handler exceptions are reported', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(b)
    await b.subscribe('news', throwing(new TypeError('thrown'))).ready
    await b.subscribe('news', () => Promise.reject(new RangeError('rejected'))).ready
    await a.broadcast('news', 1)
    await until(() => reports.length === 2)
    for (const error of reports) expect(error).to.be.instanceOf(HandlerError)
    expect(reports.map(({ cause }) => cause instanceof Error && cause.message).sort()).to.deep.equal([
      'rejected',
      'thrown',
    ])
  })

  it('handler exceptions become process warnings without an error listener', async () => {
    const a = await bus.start('a')
    const warned = warningThat(({ message }) => message.includes('unheard'))
    a.subscribe('news', throwing(new TypeError('unheard')))
    await a.broadcast('news', 1)
    const warning = await warned
    expect(warning).to.include({ name: 'HandlerError' })
    expect(warning.message).to.contain('news')
  })
})
