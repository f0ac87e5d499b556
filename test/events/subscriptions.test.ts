import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { RecordingChannel } from '../support/recording-channel'
import { stepsDuring } from '../support/steps'
import { SubscriptionsBench } from '../support/subscriptions-bench'
import { turn } from '../support/workbench'

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

  describe('isIdle', () => {
    /** Subscriptions whose handlers run until they are ended, in the order of the numbers. */
    function held(count: number) {
      const ends: (() => void)[] = []
      for (let index = 0; index < count; index++) {
        bench.add('order.placed', () => new Promise<void>((resolve) => ends.push(resolve)))
      }
      bench.deliver(1)
      return ends
    }

    for (const order of ['first', 'last'] as const) {
      it(`takes linear time for handlers that end one by one, from the ${order} on`, async () => {
        const ends = held(1000)
        const steps = await stepsDuring(async () => {
          for (let end = ends.shift(); end; end = order === 'first' ? ends.shift() : ends.pop()) {
            expect(bench.subscriptions.isIdle).to.equal(false)
            end()
            await turn()
          }
        })
        expect(bench.subscriptions.isIdle).to.equal(true)
        expect(steps).to.be.below(50_000)
      })
    }

    it('holds if nothing is left to handle, also of what came after a look at it', async () => {
      const [first, second, third] = held(3)
      expect(bench.subscriptions.isIdle).to.equal(false)
      first?.()
      second?.()
      await turn()
      expect(bench.subscriptions.isIdle, 'the third runs').to.equal(false)
      const more: (() => void)[] = []
      const again = bench.add('order.placed', () => new Promise<void>((resolve) => more.push(resolve)))
      bench.deliver(2)
      again.unsubscribe()
      third?.()
      await turn()
      expect(bench.subscriptions.isIdle, 'all run again').to.equal(false)
      more[0]?.()
      await turn()
      expect(bench.subscriptions.isIdle, 'only those before have more').to.equal(false)
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
