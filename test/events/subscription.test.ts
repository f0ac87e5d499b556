import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { type Announcer, Subscription, type SubscriptionContext } from '../../src/events/subscription'
import { unhandledDuring } from '../support/unhandled'
import { turn } from '../support/workbench'

describe('Subscription', () => {
  let log: string[]

  beforeEach(() => {
    log = []
  })

  const subscribe = (
    options: Partial<SubscriptionContext> = {},
    acknowledged: Announcer['acknowledged'] = async () => [],
  ) => {
    const announcer = { announce: (change: string) => void log.push(change), acknowledged }
    const context = { interest: { type: 'a.*' }, announcer, signal: undefined, pending: () => 0, ...options }
    return new Subscription({ ended: () => void log.push('ended'), ...context }).announce()
  }

  it('withdraws its interest once, however often unsubscribe is called', () => {
    const subscription = subscribe()
    expect(subscription.type).to.equal('a.*')
    expect(log).to.deep.equal(['subscribe'])
    subscription.unsubscribe()
    subscription.unsubscribe()
    subscription[Symbol.dispose]()
    expect(log).to.deep.equal(['subscribe', 'unsubscribe', 'ended'])
  })

  it('ends when its signal aborts, and leaves no listener on a signal that outlives it', () => {
    const controller = new AbortController()
    subscribe({ signal: controller.signal })
    controller.abort()
    expect(log).to.deep.equal(['subscribe', 'unsubscribe', 'ended'])
    const { signal } = new AbortController()
    const subscription = subscribe({ signal })
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1)
    subscription.unsubscribe()
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0)
  })

  it('ends at once if its signal has aborted before', () => {
    subscribe({ signal: AbortSignal.abort() })
    expect(log).to.deep.equal(['subscribe', 'unsubscribe', 'ended'])
  })

  it('waits for its peers once, on the first access of ready', async () => {
    let asked = 0
    const subscription = subscribe({}, async () => [`${asked++}`])
    await turn()
    expect(asked).to.equal(0)
    expect(await Promise.all([subscription.ready, subscription.ready])).to.deep.equal([['0'], ['0']])
    expect(asked).to.equal(1)
  })

  it('causes no unhandled rejection when ready rejects without an awaiter', async () => {
    const subscription = subscribe({}, () => Promise.reject(new Error('closed')))
    expect(await unhandledDuring(() => void subscription.ready)).to.deep.equal([])
    expect(await subscription.ready.catch((error) => error)).to.have.property('message', 'closed')
  })

  it('shows its type, options, state and pending events to util.inspect, and nothing internal', () => {
    const subscription = subscribe({ interest: { type: 'job', queue: 'workers', from: ['shop'] }, pending: () => 3 })
    expect(inspect(subscription, { breakLength: Infinity, compact: true })).to.equal(
      `Subscription { type: 'job', queue: 'workers', from: [ 'shop' ], state: 'open', pending: 3 }`,
    )
    subscription.unsubscribe()
    expect(inspect(subscription)).to.contain(`state: 'unsubscribed'`)
  })
})
