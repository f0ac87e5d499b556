import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { InvalidArgument } from '../../src/model/errors'
import { offAbort, onAbort } from '../../src/platform/abort-listeners'
import { freshBus } from '../support/bus'
import { rejection } from '../support/rejection'
import { throwing } from '../support/throwing'

describe('onAbort', () => {
  it('adds one listener to a signal for all calls, and removes it with the last', () => {
    const { signal } = new AbortController()
    const calls = Array.from({ length: 20 }, () => () => {})
    for (const call of calls) onAbort(signal, call)
    expect(getEventListeners(signal, 'abort')).to.have.length(1)
    for (const call of calls) offAbort(signal, call)
    expect(getEventListeners(signal, 'abort')).to.have.length(0)
  })

  it('calls each once, in order, except those taken back meanwhile', () => {
    const controller = new AbortController()
    const { signal } = controller
    const called: number[] = []
    const third = () => called.push(3)
    onAbort(signal, () => called.push(1))
    onAbort(signal, () => {
      called.push(2)
      offAbort(signal, third)
    })
    onAbort(signal, third)
    onAbort(signal, () => called.push(4))
    controller.abort()
    controller.abort()
    expect(called).to.deep.equal([1, 2, 4])
  })
})

/** A signal like that of a library, of which one method throws. */
function signalWithout(method: 'addEventListener' | 'removeEventListener'): AbortSignal {
  const { signal } = new AbortController()
  return Object.defineProperty(signal, method, { value: throwing(new TypeError(`no ${method}`)) })
}

describe('A signal whose listeners', () => {
  const bus = freshBus()

  it('cannot be removed lets each request settle, and calls nothing when it aborts', async () => {
    const endpoint = await bus.start('a')
    const signal = signalWithout('removeEventListener')
    await endpoint.respond('ask', () => 1).ready
    expect(await endpoint.request('ask', 1, { signal })).to.equal(1)
    const subscription = endpoint.subscribe('tick', () => {}, { signal })
    subscription.unsubscribe()
    expect([...endpoint.subscribedEvents]).to.deep.equal([])
    let calls = 0
    const call = () => calls++
    onAbort(signal, call)
    offAbort(signal, call)
    signal.dispatchEvent(new Event('abort'))
    expect(calls).to.equal(0)
  })

  it('cannot be added is refused, and the call has changed nothing', async () => {
    const endpoint = await bus.start('a')
    const signal = signalWithout('addEventListener')
    const attempts = [
      () => endpoint.subscribe('tick', () => {}, { signal }),
      () => endpoint.stream('tick', { signal }),
      () => endpoint.respond('ask', () => 1, { signal }),
      () => endpoint.waitFor('tick', { signal }),
      () => endpoint.drained({ signal }),
    ]
    for (const attempt of [...attempts, ...attempts]) {
      const error = await rejection(attempt)
      expect(error).to.be.instanceOf(InvalidArgument).with.property('message').that.contains('no addEventListener')
    }
    expect([...endpoint.subscribedEvents]).to.deep.equal([])
    expect(endpoint.isAnyEndpointSubscribedTo('ask')).to.equal(false)
    await endpoint.close()
  })
})

describe('One AbortSignal for many calls', () => {
  const bus = freshBus()

  it('ends subscriptions, streams, waits and requests of an endpoint, without a warning of a leak', async () => {
    const endpoint = await bus.start('a')
    const controller = new AbortController()
    const { signal } = controller
    const warnings: string[] = []
    const onWarning = ({ name }: Error) => warnings.push(name)
    process.on('warning', onWarning)
    try {
      const never = () => new Promise<void>(() => {})
      await endpoint.respond('ask', never).ready
      const subscriptions = Array.from({ length: 15 }, (_, n) => endpoint.subscribe(`t${n}`, never, { signal }))
      const waits = subscriptions.map(({ type }) => rejection(endpoint.waitFor(type, { signal })))
      const requests = subscriptions.map(() => rejection(endpoint.request('ask', 1, { signal })))
      const streams = subscriptions.map(({ type }) => rejection(endpoint.stream(type, { signal }).next()))
      expect(endpoint.subscribedEvents.size).to.equal(15)
      controller.abort()
      const errors = await Promise.all([...waits, ...requests, ...streams])
      for (const error of errors) expect(error).to.have.property('code', 'LAHJA_ABORTED')
      expect(endpoint.subscribedEvents.size).to.equal(0)
      expect(warnings).to.deep.equal([])
    } finally {
      process.off('warning', onWarning)
    }
  })
})
