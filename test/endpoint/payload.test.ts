import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { type Endpoint, NoSubscribers, PayloadTooLarge, RemoteError, UnserializablePayload } from '../../src'
import { freshBus, until } from '../support/bus'
import { payloadsAt } from '../support/payloads'
import { rejection } from '../support/rejection'

class Registry extends Map<string, number> {}

describe('A payload', () => {
  const bus = freshBus()
  let shop: Endpoint
  let till: Endpoint

  beforeEach(async () => {
    ;({ shop, till } = await bus.startAll('shop', 'till'))
  })

  it('arrives at own and remote subscriptions as the same, whatever its class and realm', async () => {
    const [own, remote] = [await payloadsAt(shop, 'tick'), await payloadsAt(till, 'tick')]
    const payloads = [
      new Registry([['a', 1]]),
      runInNewContext("new Map([['a', new Date(5)]])"),
      Object.assign(new Error('no'), { code: 'E' }),
      [Object(7), new Set([1])],
    ]
    for (const payload of payloads) await shop.broadcast('tick', payload)
    await until(() => own.length === payloads.length && remote.length === payloads.length)
    expect(remote).to.deep.equal([{ a: 1 }, { a: new Date(5) }, { name: 'Error', message: 'no', code: 'E' }, [7, [1]]])
    expect(own).to.deep.equal(remote)
  })

  it('of bytes has the bytes that are there, whatever their property length says', async () => {
    const remote = await payloadsAt(till, 'tick')
    const lying = (length: number) => Object.defineProperty(Buffer.from('abc'), 'length', { value: length })
    class Liar extends Uint8Array {
      override get length(): number {
        return 60_000
      }
    }
    const payloads = [lying(100), lying(60_000), lying(1), lying(0), new Liar([97, 98, 99])]
    for (const payload of payloads) {
      await shop.broadcast('tick', payload)
      await shop.broadcast('tick', { nested: payload })
    }
    await until(() => remote.length === 2 * payloads.length)
    const abc = Buffer.from('abc')
    expect(remote).to.deep.equal(payloads.flatMap(() => [abc, { nested: abc }]))
  })

  for (const length of [2.5, -1, Number.NaN, undefined, 'two']) {
    it(`that is a proxy of an array is refused if its length is ${length}`, async () => {
      const odd = new Proxy([1, 2, 3], { get: (array, key) => (key === 'length' ? length : Reflect.get(array, key)) })
      const error = await rejection(shop.broadcast('tick', { odd }))
      expect(error).to.be.instanceOf(UnserializablePayload).with.property('message').that.includes('odd')
    })
  }

  it('is one object for all subscriptions of an endpoint, and another than what was sent', async () => {
    const got: Record<string, unknown[]> = { shop: [], till: [] }
    for (const endpoint of [shop, shop, till, till]) {
      await endpoint.subscribe('tick', ({ payload }) => got[endpoint.name]?.push(payload)).ready
    }
    const sent = { a: 1 }
    await shop.broadcast('tick', sent)
    await until(() => got.shop?.length === 2 && got.till?.length === 2)
    for (const [first, second] of [got.shop ?? [], got.till ?? []]) expect(first).to.equal(second).and.not.equal(sent)
    expect(got.shop?.[0]).not.to.equal(got.till?.[0])
  })

  it('that is or holds an endpoint, a subscription, a stream or a promise is refused', async () => {
    await payloadsAt(till, 'tick')
    const subscription = shop.subscribe('tock', () => {})
    const stream = shop.stream('tock')
    for (const value of [shop, till, subscription, stream, subscription.ready]) {
      expect(await rejection(shop.broadcast('tick', { value }))).to.be.instanceOf(UnserializablePayload)
      expect(await rejection(shop.broadcast('tick', value))).to.be.instanceOf(UnserializablePayload)
    }
    await stream.return()
  })

  it('that cannot be sent is refused also when nobody subscribes', async () => {
    const flawed = { callback: () => {} }
    const huge = 'x'.repeat(1024 * 1024)
    for (const options of [undefined, { to: 'nobody' }, { internal: true }]) {
      expect(await rejection(shop.broadcast('tick', flawed, options))).to.be.instanceOf(UnserializablePayload)
      for (const payload of [huge, Buffer.from(huge), { huge }]) {
        const error = await rejection(shop.broadcast('tick', payload, options))
        expect(error).to.be.instanceOf(PayloadTooLarge)
        expect(error.message).to.match(
          /^event tick: takes (10485\d\d|over 1048576) bytes encoded, but limits.frameBytes is/,
        )
      }
      expect(() => shop.broadcastNowait('tick', flawed, options)).to.throw(UnserializablePayload, 'payload.callback')
    }
    const options = { requireSubscriber: true }
    expect(await rejection(shop.broadcast('tick', flawed, options))).to.be.instanceOf(UnserializablePayload)
    expect(await rejection(shop.broadcast('tick', 1, options))).to.be.instanceOf(NoSubscribers)
    expect(await shop.broadcast('tick', { fine: true })).to.equal(0)
  })

  it('of a response that has no form on the wire is an error of the responder', async () => {
    await till.respond('job', () => ({ result: new WeakMap() })).ready
    const error = await rejection(shop.request('job'))
    expect(error).to.be.instanceOf(RemoteError)
    expect(error.message).to.contain('payload.result is an instance of WeakMap')
  })

  it('of a request that has no form on the wire is refused also when nobody responds', async () => {
    expect(await rejection(shop.request('job', new Map([[{}, 1]])))).to.be.instanceOf(UnserializablePayload)
  })
})
