import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import { Subscriptions } from '../../src/events/subscriptions'
import type { Event, Handler } from '../../src/model/event'
import type { Interest } from '../../src/model/interest'
import { RecordingChannel } from '../support/recording-channel'

const eventOf = (payload: unknown, type = 'order.placed'): Event => ({ type, payload, origin: 'shop' })

describe('Subscriptions', () => {
  let subscriptions: Subscriptions
  let announced: [change: string, interest: Interest][]
  let sender: RecordingChannel

  beforeEach(() => {
    announced = []
    sender = new RecordingChannel('shop', { groups: ['web'] })
    const announce = (change: string, interest: Interest) => void announced.push([change, interest])
    subscriptions = new Subscriptions({
      announcer: { announce, known: () => Promise.resolve() },
      report: (error) => expect.fail(error.message),
      idle: () => {},
    })
  })

  const add = (type: string, handler: Handler<unknown>, options: SubscribeOptions = {}, ended?: () => void) => {
    return subscriptions.add(subscribeSettings(type, handler, options), ended)
  }

  /** Adds a subscription that logs its events under a label. */
  function collecting() {
    const got: string[] = []
    const subscribe = (name: string, type: string, options?: SubscribeOptions) => {
      return add(type, ({ payload }) => void got.push(`${name} ${payload}`), options)
    }
    return { got, subscribe }
  }

  describe('deliver', () => {
    it('hands an event to each subscription once, by its name or any pattern', () => {
      const { got, subscribe } = collecting()
      for (const type of ['order.placed', 'order.placed', 'order.*', '>']) subscribe(type, type)
      for (const type of ['order', 'order.paid', '*']) subscribe(type, type)
      subscriptions.deliver(eventOf(1), sender)
      const once = ['order.placed 1', 'order.placed 1', 'order.* 1', '> 1']
      expect(got).to.have.members(once).and.have.lengthOf(once.length)
    })

    it('hands an event only to subscriptions whose from includes its origin', () => {
      const { got, subscribe } = collecting()
      for (const from of ['shop', ['till', 'shop'], { group: 'web' }]) subscribe('heard', '>', { from })
      for (const from of ['till', [], { group: 'eu' }]) subscribe('not heard', '>', { from })
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal(['heard 1', 'heard 1', 'heard 1'])
      subscriptions.deliver(eventOf(2), new RecordingChannel('loner'))
      expect(got).to.have.lengthOf(3)
    })

    it('hands no event to members of queues', () => {
      const { got, subscribe } = collecting()
      subscribe('member', '>', { queue: 'q' })
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal([])
    })

    it('skips a subscription that an earlier handler ended, and one that it added', () => {
      const got: string[] = []
      add('order.placed', () => {
        got.push('first')
        second.unsubscribe()
        add('order.placed', () => got.push('late'))
      })
      const second = add('order.placed', () => got.push('second'))
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal(['first'])
    })
  })

  describe('add', () => {
    it('announces the interest, and withdraws it however it ends', () => {
      let ended = 0
      const { signal, ...controller } = abortable()
      const bySignal = add(
        'a.*',
        () => {},
        { from: 'shop', signal },
        () => ended++,
      )
      const interest = { type: 'a.*', from: ['shop'], queue: undefined }
      expect(announced.splice(0)).to.deep.equal([['subscribe', interest]])
      expect(ended).to.equal(0)
      controller.abort()
      expect(announced.splice(0)).to.deep.equal([['unsubscribe', interest]])
      expect(ended).to.equal(1)
      bySignal.unsubscribe()
      expect(announced).to.deep.equal([])
      expect(ended).to.equal(1)
    })

    it('leaves no listener on a signal that outlives the subscription', () => {
      const { signal } = new AbortController()
      const subscription = add('a', () => {}, { signal })
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1)
      subscription.unsubscribe()
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0)
    })

    it('announces and withdraws the interest at once if the signal has aborted before', () => {
      const { got, subscribe } = collecting()
      subscribe('a', 'order.placed', { signal: AbortSignal.abort() })
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal([])
      expect(announced.map(([change]) => change)).to.deep.equal(['subscribe', 'unsubscribe'])
    })

    it('withdraws all interests on close', () => {
      const { got, subscribe } = collecting()
      for (const options of [{}, { queue: 'q' }]) subscribe('a', '>', options)
      subscriptions.close()
      subscriptions.close()
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal([])
      expect(announced.map(([change]) => change)).to.deep.equal([
        'subscribe',
        'subscribe',
        'unsubscribe',
        'unsubscribe',
      ])
    })
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
