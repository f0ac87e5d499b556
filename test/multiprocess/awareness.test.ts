import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { defineEvent, defineRequest, type Endpoint } from '../../src'
import { rejection } from '../support/rejection'
import { useBus } from './bus'

const Tick = defineEvent('tick')
const Ask = defineRequest('ask')
const Vault = defineEvent('awareness.vault', { boundary: { groups: ['vault'] } })

describe('the subscriptions of other processes that an endpoint knows', () => {
  const bus = useBus()
  let observer: Endpoint

  beforeEach(async () => {
    observer = await bus.join('observer')
  })

  /** Whether the promise is still pending after everything received so far has been handled. */
  async function isPending(promise: Promise<unknown>): Promise<boolean> {
    let isPending = true
    void promise.then(() => {
      isPending = false
    })
    await setImmediate()
    return isPending
  }

  it('include a subscription as soon as it has been acknowledged', async () => {
    const worker = await bus.start('worker')
    expect(observer.isEndpointSubscribedTo('worker', Tick)).to.equal(false)
    await worker.subscribe('tick')
    expect(observer.isEndpointSubscribedTo('worker', Tick)).to.equal(true)
    expect(observer.isEndpointSubscribedTo('worker', 'tock')).to.equal(false)
    expect(observer.isEndpointSubscribedTo('nobody', Tick)).to.equal(false)
    expect(observer.connectedEndpointsAndSubscriptions).to.deep.equal(
      new Map([
        ['observer', new Set()],
        ['worker', new Set(['tick'])],
      ]),
    )
  })

  it('can be awaited before the peer has started', async () => {
    const subscribed = observer.waitUntilEndpointSubscribedTo('worker', Tick)
    const other = await bus.start('other')
    await other.subscribe('tick')
    expect(await isPending(subscribed)).to.equal(true)
    const worker = await bus.start('worker')
    expect(await isPending(subscribed)).to.equal(true)

    await worker.subscribe('tick')
    await subscribed
    expect(await observer.broadcast(Tick, undefined, { to: 'worker' })).to.equal(1)
  })

  it('can be awaited from any endpoint', async () => {
    const subscribed = observer.waitUntilAnyEndpointSubscribedTo(Tick)
    const worker = await bus.start('worker')
    expect(await isPending(subscribed)).to.equal(true)
    expect(observer.isAnyEndpointSubscribedTo(Tick)).to.equal(false)

    await worker.subscribe('>')
    await subscribed
    expect(observer.isAnyEndpointSubscribedTo(Tick)).to.equal(true)
  })

  it('can be awaited from all endpoints, with or without its own', async () => {
    const workers = [await bus.start('one'), await bus.start('two')]
    const others = observer.waitUntilAllEndpointsSubscribedTo(Tick, { includeSelf: false })
    const all = observer.waitUntilAllEndpointsSubscribedTo(Tick)
    await workers[0]?.subscribe('tick')
    expect(await isPending(others)).to.equal(true)

    await workers[1]?.subscribe('tick')
    await others
    expect(await isPending(all)).to.equal(true)
    observer.subscribe(Tick, () => {})
    await all
    expect(observer.areAllEndpointsSubscribedTo(Tick)).to.equal(true)

    const newcomer = await bus.start('newcomer')
    await observer.waitUntilConnectedTo('newcomer')
    expect(observer.areAllEndpointsSubscribedTo(Tick)).to.equal(false)
    newcomer.process.kill()
    await observer.waitUntilAllEndpointsSubscribedTo(Tick)
    expect(observer.isConnectedTo('newcomer')).to.equal(false)
  })

  it('change, with an event, when a peer subscribes, unsubscribes, responds or is lost', async () => {
    const worker = await bus.start('worker')
    const changes: string[] = []
    observer.on('subscriptionsChanged', ({ name, subscriptions, responds }) => {
      changes.push(`${name}: ${[...subscriptions, ...responds].join(' ')}`)
    })
    const steps: readonly (() => Promise<unknown>)[] = [
      () => worker.subscribe('tick'),
      () => worker.subscribe('order.*'),
      () => worker.respond('ask'),
      () => worker.unsubscribe('tick'),
    ]
    for (const step of steps) {
      const changed = observer.waitUntilEndpointSubscriptionsChange()
      await Promise.all([changed, step()])
    }
    expect(changes).to.deep.equal([
      'worker: tick',
      'worker: tick order.*',
      'worker: tick order.* ask',
      'worker: order.* ask',
    ])

    const changed = observer.waitUntilEndpointSubscriptionsChange()
    const lost = once(observer, 'lost')
    worker.process.kill()
    await Promise.all([changed, lost])
    expect([...observer.connectedEndpointsAndSubscriptions.keys()]).to.deep.equal(['observer'])
  })

  it('do not change when a peer subscribes twice or starts a second endpoint', async () => {
    const worker = await bus.start('worker')
    await worker.subscribe('tick')
    const changes: string[] = []
    observer.on('subscriptionsChanged', ({ subscriptions }) => changes.push(subscriptions.join(' ')))
    await worker.subscribe('tick')
    await bus.startIn(worker.process, 'other')
    await worker.subscribe('tock')
    expect(changes).to.deep.equal(['tick tock'])
  })

  it('are separate for events and requests', async () => {
    const listener = await bus.start('listener')
    const responder = await bus.start('responder')
    await listener.subscribe('ask')
    expect(observer.isAnyEndpointSubscribedTo(Ask)).to.equal(false)
    const responding = observer.waitUntilEndpointSubscribedTo('responder', Ask)
    await responder.respond('ask')
    await responding
    expect(observer.isEndpointSubscribedTo('listener', Ask)).to.equal(false)
    expect(observer.isEndpointSubscribedTo('listener', defineEvent('ask'))).to.equal(true)
    expect(observer.isEndpointSubscribedTo('responder', defineEvent('ask'))).to.equal(false)
  })

  it('take origin filters, boundaries and accepts into account', async () => {
    const wary = await bus.start('wary')
    await wary.subscribe('tick', { from: 'somebody' })
    await wary.subscribe(Vault.name)
    const picky = await bus.start('picky', { accepts: ['tock'], groups: ['vault'] })
    await picky.subscribe('tick')
    expect(observer.isAnyEndpointSubscribedTo(Tick)).to.equal(false)
    expect(observer.isEndpointSubscribedTo('wary', Vault)).to.equal(false)

    await wary.subscribe('tick', { from: ['observer'] })
    expect(observer.isEndpointSubscribedTo('wary', Tick)).to.equal(true)
    const trusted = await bus.start('trusted', { groups: ['vault'] })
    await trusted.subscribe(Vault.name)
    expect(observer.isEndpointSubscribedTo('trusted', Vault)).to.equal(true)
  })

  it('include queue members until the last one has left', async () => {
    const worker = await bus.start('worker')
    for (const type of ['tick', '*']) await worker.subscribe(type, { queue: 'workers' })
    expect(observer.isEndpointSubscribedTo('worker', Tick)).to.equal(true)
    const first = observer.waitUntilEndpointSubscriptionsChange()
    await worker.unsubscribe('tick')
    await first
    expect(observer.isEndpointSubscribedTo('worker', Tick)).to.equal(true)
    const second = observer.waitUntilEndpointSubscriptionsChange()
    await worker.unsubscribe('*')
    await second
    expect(observer.isEndpointSubscribedTo('worker', Tick)).to.equal(false)
  })

  it('reject a wait on timeout, abort and close', async () => {
    await bus.start('worker')
    const waits = [
      observer.waitUntilEndpointSubscribedTo('worker', Tick, { timeout: 1 }),
      observer.waitUntilAnyEndpointSubscribedTo(Tick, { signal: AbortSignal.abort() }),
      observer.waitUntilAllEndpointsSubscribedTo(Tick),
      observer.waitUntilEndpointSubscriptionsChange(),
    ].map(rejection)
    await Promise.all(waits.slice(0, 2))
    await observer.close()
    const codes = (await Promise.all(waits)).map(({ code }) => code)
    const closed = 'LAHJA_ENDPOINT_CLOSED'
    expect(codes).to.deep.equal(['LAHJA_WAIT_TIMEOUT', 'LAHJA_ABORTED', closed, closed])
  })
})
