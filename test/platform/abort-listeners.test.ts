import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { offAbort, onAbort } from '../../src/platform/abort-listeners'
import { freshBus } from '../support/bus'
import { rejection } from '../support/rejection'

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
