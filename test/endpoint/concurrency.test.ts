import { expect } from 'chai'
import { defineEvent, type SubscribeOptions } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { numbers } from '../support/members'
import { payloadsAt } from '../support/payloads'
import { rejection } from '../support/rejection'
import { reportsOf } from '../support/reports'

const Job = defineEvent<number>('job')

describe('Endpoint.subscribe with concurrency', () => {
  const bus = freshBus()

  /** A held handler to whose endpoint events 0 to 9 have been delivered. */
  async function flooded(options: SubscribeOptions) {
    const { a, b } = await bus.startAll('a', 'b')
    const handler = new HeldHandler()
    const subscription = b.subscribe(Job, handler.handle, options)
    const ends = await payloadsAt(b, 'end')
    for (const n of numbers(10)) a.broadcastNowait(Job, n)
    await a.broadcast('end')
    await until(() => ends.length === 1)
    return { a, b, handler, subscription }
  }

  it('1, the default, starts the next event when the handler has finished', async () => {
    const { handler } = await flooded({})
    for (const n of numbers(10)) {
      expect(handler.begun).to.deep.equal(numbers(n + 1))
      handler.releaseOne()
      await until(() => handler.ended.length === n + 1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(handler.ended).to.deep.equal(numbers(10))
  })

  it('n handles n events at a time, started in order', async () => {
    const { handler } = await flooded({ concurrency: 3 })
    expect(handler.begun).to.deep.equal([0, 1, 2])
    handler.releaseOne()
    await until(() => handler.begun.length > 3)
    await new Promise((resolve) => setImmediate(resolve))
    expect(handler.begun).to.deep.equal([0, 1, 2, 3])
    handler.release()
    await until(() => handler.ended.length === 10)
    expect(handler.begun).to.deep.equal(numbers(10))
  })

  it('Infinity handles all events at once, started in order', async () => {
    const { handler } = await flooded({ concurrency: Number.POSITIVE_INFINITY })
    expect(handler.begun).to.deep.equal(numbers(10))
    handler.release()
  })

  it('frees the slot of a handler that rejects', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(b)
    const got: number[] = []
    let most = 0
    let underWay = 0
    const handle = async ({ payload }: { payload: number }) => {
      most = Math.max(most, ++underWay)
      got.push(payload)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      throw new Error(`no ${payload}`)
    }
    await b.subscribe(Job, handle, { concurrency: 2 }).ready
    for (const n of numbers(10)) await a.broadcast(Job, n)
    await until(() => reports.length === 10)
    expect(got).to.deep.equal(numbers(10))
    expect(most).to.equal(2)
  })

  it('applies per subscription: a slow handler holds up no other', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const slow = new HeldHandler()
    const got: number[] = []
    b.subscribe(Job, slow.handle)
    await b.subscribe(Job, ({ payload }) => got.push(payload)).ready
    for (const n of numbers(10)) await a.broadcast(Job, n)
    await until(() => got.length === 10)
    expect(slow.begun).to.deep.equal([0])
    slow.release()
    await until(() => slow.ended.length === 10)
    expect(slow.ended).to.deep.equal(numbers(10))
  })

  it('G2: starts nothing after unsubscribe, and lets running handlers finish', async () => {
    const { a, handler, subscription } = await flooded({ concurrency: 2 })
    subscription.unsubscribe()
    handler.release()
    await until(() => handler.ended.length === 2 && !a.isEndpointSubscribedTo('b', 'job'))
    expect(handler.begun).to.deep.equal([0, 1])
  })

  it('lets a handler unsubscribe itself', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const got: number[] = []
    const subscription = b.subscribe(Job, ({ payload }) => {
      got.push(payload)
      if (payload === 2) subscription.unsubscribe()
    })
    const ends = await payloadsAt(b, 'end')
    for (const n of numbers(10)) a.broadcastNowait(Job, n)
    await a.broadcast('end')
    await until(() => ends.length === 1)
    expect(got).to.deep.equal([0, 1, 2])
  })

  for (const concurrency of [0, -1, 1.5, Number.NaN, '2', null]) {
    it(`throws InvalidArgument for ${typeof concurrency} ${concurrency}`, async () => {
      const a = await bus.start('a')
      const options = Object.assign({ concurrency: 1 }, { concurrency })
      expect(await rejection(() => a.subscribe(Job, () => {}, options))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
    })
  }
})
