import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import type { Subscription } from '../../src/events/subscription'
import { Subscriptions } from '../../src/events/subscriptions'
import type { LahjaError } from '../../src/model/errors'
import { NoSubscribers, UnserializablePayload } from '../../src/model/errors'
import type { Event, Handler } from '../../src/model/event'
import type { Interest } from '../../src/model/interest'
import type { Assignment } from '../../src/wire/message'
import { RecordingChannel } from '../support/recording-channel'
import { Workbench } from '../support/workbench'

const eventOf = (payload: unknown, type = 'order.placed'): Event => ({ type, payload, origin: 'shop' })
const assignmentOf = (payload: unknown, queue = 'q'): Assignment => {
  return { kind: 'assign', queue, type: 'order.placed', isFixed: false, payload }
}

describe('Subscriptions', () => {
  let subscriptions: Subscriptions
  let announced: [change: string, interest: Interest][]
  let failures: LahjaError[]
  let settled: string[]
  let sender: RecordingChannel

  beforeEach(() => {
    announced = []
    failures = []
    settled = []
    sender = new RecordingChannel('shop', { groups: ['web'] })
    subscriptions = new Subscriptions({
      announce: (change, interest) => void announced.push([change, interest]),
      known: () => Promise.resolve(),
      failed: (error) => failures.push(error),
      settled: (channel) => settled.push(channel.identity.name),
      idle: () => {},
    })
  })

  const add = (type: string, handler: Handler<unknown>, options: SubscribeOptions = {}, ended?: () => void) => {
    return subscriptions.add(subscribeSettings(type, handler, options), ended)
  }

  /** Who got an event, by the names under which they have subscribed. */
  function collecting() {
    const got: string[] = []
    const subscribe = (name: string, type: string, options?: SubscribeOptions) => {
      return add(type, ({ payload }) => void got.push(`${name} ${payload}`), options)
    }
    return { got, subscribe }
  }

  describe('hand an event', () => {
    it('to each subscription once, by its name or any pattern', () => {
      const { got, subscribe } = collecting()
      for (const type of ['order.placed', 'order.placed', 'order.*', '>']) subscribe(type, type)
      for (const type of ['order', 'order.paid', '*']) subscribe(type, type)
      subscriptions.deliver(eventOf(1), sender)
      const once = ['order.placed 1', 'order.placed 1', 'order.* 1', '> 1']
      expect(got).to.have.members(once).and.have.lengthOf(once.length)
    })

    it('only to those that want to hear its origin', () => {
      const { got, subscribe } = collecting()
      for (const from of ['shop', ['till', 'shop'], { group: 'web' }]) subscribe('heard', '>', { from })
      for (const from of ['till', [], { group: 'eu' }]) subscribe('not heard', '>', { from })
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal(['heard 1', 'heard 1', 'heard 1'])
      subscriptions.deliver(eventOf(2), new RecordingChannel('loner'))
      expect(got).to.have.lengthOf(3)
    })

    it('not to members of queues', () => {
      const { got, subscribe } = collecting()
      subscribe('member', '>', { queue: 'q' })
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal([])
    })

    it('to none that an earlier one has ended meanwhile, and to none that it has added', () => {
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

  describe('tell', () => {
    it('when a subscription begins, and when anything ends it', () => {
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

    it('nobody, and leave nothing at the signal, when the signal outlives the subscription', () => {
      const { signal } = new AbortController()
      const subscription = add('a', () => {}, { signal })
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1)
      subscription.unsubscribe()
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0)
    })

    it('what has begun and ended at once, where the signal has been aborted before', () => {
      const { got, subscribe } = collecting()
      subscribe('a', 'order.placed', { signal: AbortSignal.abort() })
      subscriptions.deliver(eventOf(1), sender)
      expect(got).to.deep.equal([])
      expect(announced.map(([change]) => change)).to.deep.equal(['subscribe', 'unsubscribe'])
    })

    it('the end of all, when they are closed', () => {
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

  describe('give an assignment', () => {
    /** Members whose handlers end when they are told to. */
    function members(count: number, options: SubscribeOptions = {}) {
      return Array.from({ length: count }, () => {
        const bench = new Workbench()
        return { bench, subscription: add('order.*', bench.handle, { queue: 'q', ...options }) }
      })
    }
    const startedBy = (all: readonly { readonly bench: Workbench }[]) => all.map(({ bench }) => bench.started)

    it('to one member, and settle it once it is handled', async () => {
      const all = members(2)
      subscriptions.assign(assignmentOf(1), sender)
      expect(startedBy(all).flat()).to.deep.equal([1])
      expect(subscriptions.isIdle).to.equal(false)
      expect(settled).to.deep.equal([])
      for (const { bench } of all) await bench.finish(0)
      expect(settled).to.deep.equal(['shop'])
      expect(subscriptions.isIdle).to.equal(true)
      expect(sender.told).to.deep.equal([])
    })

    it('with the sender for its origin', () => {
      const seen: Event[] = []
      add('order.placed', (event) => void seen.push(event), { queue: 'q' })
      subscriptions.assign(assignmentOf({ id: 'A1' }), sender)
      expect(seen).to.deep.equal([{ type: 'order.placed', payload: { id: 'A1' }, origin: 'shop' }])
    })

    it('to the member that has the least to do', async () => {
      const [one, other] = members(2)
      for (let number = 0; number < 4; number++) subscriptions.assign(assignmentOf(number), sender)
      expect([one?.subscription.load, other?.subscription.load]).to.deep.equal([2, 2])
      await one?.bench.finish(0)
      await one?.bench.finish(0)
      subscriptions.assign(assignmentOf(4), sender)
      subscriptions.assign(assignmentOf(5), sender)
      expect([one?.subscription.load, other?.subscription.load]).to.deep.equal([2, 2])
      expect(one?.bench.started).to.include(4)
    })

    it('not to members of another queue, nor to those who share nothing or want to hear others', () => {
      const { got, subscribe } = collecting()
      for (const options of [{ queue: 'other' }, {}, { queue: 'q', from: 'till' }]) {
        subscribe('not meant', 'order.placed', options)
      }
      subscribe('meant', 'order.placed', { queue: 'q', from: { group: 'web' } })
      for (let number = 0; number < 4; number++) subscriptions.assign(assignmentOf(number), sender)
      expect(got).to.deep.equal(['meant 0', 'meant 1', 'meant 2', 'meant 3'])
    })

    it('back, as it was, if there is no member', () => {
      const { subscribe } = collecting()
      subscribe('other', 'order.placed', { queue: 'other' })
      const assignment: Assignment = { ...assignmentOf({ id: 'A1' }), isFixed: true }
      subscriptions.assign(assignment, sender)
      expect(sender.takeTold()).to.deep.equal([{ ...assignment, kind: 'return' }])
      expect(settled).to.deep.equal([])
      expect(subscriptions.isIdle).to.equal(true)
    })

    it('to the other members, when one has left with some waiting, and back when all have', async () => {
      const [one, other] = members(2)
      for (let number = 0; number < 6; number++) subscriptions.assign(assignmentOf(number), sender)
      one?.subscription.unsubscribe()
      expect(other?.subscription.load).to.equal(5)
      expect(sender.told).to.deep.equal([])
      other?.subscription.unsubscribe()
      const returned = sender.takeTold().map((message) => 'payload' in message && message.payload)
      const begun = [...(one?.bench.started ?? []), ...(other?.bench.started ?? [])]
      expect([...begun, ...returned].sort()).to.deep.equal([0, 1, 2, 3, 4, 5])
      expect(begun).to.have.lengthOf(2)
      expect(settled).to.deep.equal([])
      for (const { bench } of [one, other].flatMap((member) => member ?? [])) await bench.finish(0)
      expect(settled).to.deep.equal(['shop', 'shop'])
      expect(subscriptions.isIdle).to.equal(true)
    })

    it('back, when they leave their queues, and leave other subscriptions alone', async () => {
      const all = members(2)
      const { got, subscribe } = collecting()
      subscribe('all', 'order.placed')
      for (let number = 0; number < 4; number++) subscriptions.assign(assignmentOf(number), sender)
      expect(subscriptions.leaveQueues()).to.equal(true)
      expect(subscriptions.leaveQueues()).to.equal(false)
      expect(sender.takeTold()).to.have.lengthOf(2)
      expect(subscriptions.isIdle).to.equal(false)
      for (const { bench } of all) await bench.finish(0)
      expect(subscriptions.isIdle).to.equal(true)
      subscriptions.deliver(eventOf(7), sender)
      expect(got).to.deep.equal(['all 7'])
    })

    it('up, settled and reported, if it can neither be handled nor given back', () => {
      const refusals = [new UnserializablePayload('no form'), new NoSubscribers('nobody'), new TypeError('broken')]
      for (const refusal of refusals) {
        sender.refusal = refusal
        subscriptions.assign(assignmentOf(1), sender)
      }
      expect(settled).to.deep.equal(['shop', 'shop', 'shop'])
      expect(failures.slice(0, 2)).to.deep.equal(refusals.slice(0, 2))
      expect(failures[2]).to.include({ code: 'LAHJA_HANDLER_ERROR', cause: refusals[2] })
      expect(subscriptions.isIdle).to.equal(true)
    })

    it('up as handled where its handler throws', () => {
      const subscription: Subscription = add(
        'order.placed',
        () => {
          throw new Error('broken')
        },
        { queue: 'q' },
      )
      subscriptions.assign(assignmentOf(1), sender)
      expect(settled).to.deep.equal(['shop'])
      expect(failures).to.have.lengthOf(1)
      expect(subscription.load).to.equal(0)
    })
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
