import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { RecordingChannel } from '../support/recording-channel'
import { SubscriptionsBench } from '../support/subscriptions-bench'

describe('Subscriptions', () => {
  let bench: SubscriptionsBench

  beforeEach(() => {
    bench = new SubscriptionsBench()
  })
  afterEach(() => expect(bench.failures).to.deep.equal([]))

  describe('deliver', () => {
    it('hands an event to each subscription once, by its name or any pattern', () => {
      for (const type of ['order.placed', 'order.placed', 'order.*', '>']) bench.subscribe(type, type)
      for (const type of ['order', 'order.paid', '*']) bench.subscribe(type, type)
      bench.deliver(1)
      const once = ['order.placed 1', 'order.placed 1', 'order.* 1', '> 1']
      expect(bench.got).to.have.members(once).and.have.lengthOf(once.length)
    })

    it('hands an event only to subscriptions whose from includes its origin', () => {
      for (const from of ['shop', ['till', 'shop'], { group: 'web' }]) bench.subscribe('heard', '>', { from })
      for (const from of ['till', [], { group: 'eu' }]) bench.subscribe('not heard', '>', { from })
      bench.deliver(1)
      expect(bench.got).to.deep.equal(['heard 1', 'heard 1', 'heard 1'])
      bench.deliver(2, new RecordingChannel('loner'))
      expect(bench.got).to.have.lengthOf(3)
    })

    it('hands no event to members of queues', () => {
      bench.subscribe('member', '>', { queue: 'q' })
      bench.deliver(1)
      expect(bench.got).to.deep.equal([])
    })

    it('skips a subscription that an earlier handler ended, and one that it added', () => {
      const got: string[] = []
      bench.add('order.placed', () => {
        got.push('first')
        second.unsubscribe()
        bench.add('order.placed', () => got.push('late'))
      })
      const second = bench.add('order.placed', () => got.push('second'))
      bench.deliver(1)
      expect(got).to.deep.equal(['first'])
    })
  })

  describe('add', () => {
    it('announces the interest, and withdraws it however it ends', () => {
      let ended = 0
      const controller = new AbortController()
      const ignore = () => {}
      const bySignal = bench.add('a.*', ignore, { from: 'shop', signal: controller.signal }, () => ended++)
      const interest = { type: 'a.*', from: ['shop'], queue: undefined }
      expect(bench.announced.splice(0)).to.deep.equal([['subscribe', interest]])
      expect(ended).to.equal(0)
      controller.abort()
      expect(bench.announced.splice(0)).to.deep.equal([['unsubscribe', interest]])
      expect(ended).to.equal(1)
      bySignal.unsubscribe()
      expect(bench.announced).to.deep.equal([])
      expect(ended).to.equal(1)
    })

    it('leaves no listener on a signal that outlives the subscription', () => {
      const { signal } = new AbortController()
      const subscription = bench.add('a', () => {}, { signal })
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1)
      subscription.unsubscribe()
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0)
    })

    it('announces and withdraws the interest at once if the signal has aborted before', () => {
      bench.subscribe('a', 'order.placed', { signal: AbortSignal.abort() })
      bench.deliver(1)
      expect(bench.got).to.deep.equal([])
      expect(bench.announced.map(([change]) => change)).to.deep.equal(['subscribe', 'unsubscribe'])
    })

    it('withdraws all interests on close', () => {
      for (const options of [{}, { queue: 'q' }]) bench.subscribe('a', '>', options)
      bench.subscriptions.close()
      bench.subscriptions.close()
      bench.deliver(1)
      expect(bench.got).to.deep.equal([])
      expect(bench.announced.map(([change]) => change)).to.deep.equal([
        'subscribe',
        'subscribe',
        'unsubscribe',
        'unsubscribe',
      ])
    })
  })
})
