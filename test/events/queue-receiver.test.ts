import { expect } from 'chai'
import type { SubscribeOptions } from '../../src/events/subscribe-options'
import { NoSubscribers, UnserializablePayload } from '../../src/model/errors'
import type { Event } from '../../src/model/event'
import { RecordingChannel } from '../support/recording-channel'
import { SubscriptionsBench } from '../support/subscriptions-bench'
import { throwing } from '../support/throwing'
import { Workbench } from '../support/workbench'

describe('QueueReceiver', () => {
  let bench: SubscriptionsBench
  let sender: RecordingChannel

  beforeEach(() => {
    bench = new SubscriptionsBench()
    sender = bench.sender
  })

  /** Members with handlers whose calls the test ends. */
  function members(count: number, options: SubscribeOptions = {}) {
    return Array.from({ length: count }, () => {
      const work = new Workbench()
      return { work, subscription: bench.add('order.*', work.handle, { queue: 'q', ...options }) }
    })
  }
  const startedBy = (all: readonly { readonly work: Workbench }[]) => all.map(({ work }) => work.started)

  it('hands an assignment to one member, and settles it when it is handled', async () => {
    const all = members(2)
    bench.assign(1)
    expect(startedBy(all).flat()).to.deep.equal([1])
    expect(bench.queueReceiver.isIdle).to.equal(false)
    expect(bench.settled).to.equal(0)
    for (const { work } of all) await work.finish(0)
    expect(bench.settled).to.equal(1)
    expect(bench.queueReceiver.isIdle).to.equal(true)
    expect(sender.told).to.deep.equal([])
  })

  it('hands over an assignment with its origin and its headers', () => {
    const seen: Event[] = []
    bench.add('order.placed', (event) => void seen.push(event), { queue: 'q' })
    bench.assign({ id: 'A1' })
    expect(seen).to.deep.equal([{ type: 'order.placed', payload: { id: 'A1' }, origin: 'shop', headers: {} }])
  })

  it('hands an assignment to the member with the fewest events in flight', async () => {
    const [one, other] = members(2)
    for (let number = 0; number < 4; number++) bench.assign(number)
    expect([one?.subscription.pending, other?.subscription.pending]).to.deep.equal([2, 2])
    await one?.work.finish(0)
    await one?.work.finish(0)
    bench.assign(4)
    bench.assign(5)
    expect([one?.subscription.pending, other?.subscription.pending]).to.deep.equal([2, 2])
    expect(one?.work.started).to.include(4)
  })

  it('hands an assignment only to members of its queue whose from allows the origin', () => {
    for (const options of [{ queue: 'other' }, {}, { queue: 'q', from: 'till' }]) {
      bench.subscribe('not meant', 'order.placed', options)
    }
    bench.subscribe('meant', 'order.placed', { queue: 'q', from: { group: 'web' } })
    for (let number = 0; number < 4; number++) bench.assign(number)
    expect(bench.got).to.deep.equal(['meant 0', 'meant 1', 'meant 2', 'meant 3'])
  })

  it('returns an assignment unchanged if there is no member', () => {
    bench.subscribe('other', 'order.placed', { queue: 'other' })
    const job = { queue: 'q', type: 'order.placed', isFixed: true, payload: { id: 'A1' } }
    bench.queueReceiver.assign({ kind: 'assign', ...job }, sender)
    expect(sender.takeTold()).to.deep.equal([{ kind: 'return', ...job }])
    expect(bench.settled).to.equal(0)
    expect(bench.queueReceiver.isIdle).to.equal(true)
  })

  it('hands the waiting assignments of a member that left to others, and returns them when all have left', async () => {
    const [one, other] = members(2)
    for (let number = 0; number < 6; number++) bench.assign(number)
    one?.subscription.unsubscribe()
    expect(other?.subscription.pending).to.equal(5)
    expect(sender.told).to.deep.equal([])
    other?.subscription.unsubscribe()
    const returned = sender.takeTold().map((message) => 'payload' in message && message.payload)
    const begun = [...(one?.work.started ?? []), ...(other?.work.started ?? [])]
    expect([...begun, ...returned].sort()).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(begun).to.have.lengthOf(2)
    expect(bench.settled).to.equal(0)
    for (const { work } of [one, other].flatMap((member) => member ?? [])) await work.finish(0)
    expect(bench.settled).to.equal(2)
    expect(bench.queueReceiver.isIdle).to.equal(true)
  })

  it('returns waiting assignments when the endpoint leaves, as far as others may have them', async () => {
    const all = members(2)
    for (let number = 0; number < 4; number++) bench.assign(number)
    bench.queueReceiver.leave()
    for (let twice = 0; twice < 2; twice++) bench.subscriptions.returnWaiting()
    expect(sender.takeTold()).to.have.lengthOf(2)
    bench.assign(4)
    expect(sender.takeTold()).to.have.lengthOf(1)
    expect(bench.queueReceiver.isIdle).to.equal(false)
    for (const { work } of all) await work.finish(0)
    expect(bench.queueReceiver.isIdle).to.equal(true)
  })

  it('handles what arrives once its sender knows that the endpoint leaves', async () => {
    const [one] = members(1)
    bench.queueReceiver.leave()
    bench.assign(0)
    expect(sender.takeTold()).to.have.lengthOf(1)
    sender.hasUnsubscribedAll = true
    bench.assign(1)
    expect(sender.takeTold()).to.deep.equal([])
    await one?.work.finish(0)
    expect(one?.work.started).to.deep.equal([1])
  })

  it('handles waiting assignments when the endpoint leaves that no other may have', async () => {
    bench.hasOthers = false
    const [one] = members(1)
    for (let number = 0; number < 3; number++) bench.assign(number)
    bench.queueReceiver.leave()
    bench.subscriptions.returnWaiting()
    expect(sender.takeTold()).to.deep.equal([])
    for (let number = 0; number < 3; number++) await one?.work.finish(0)
    expect(one?.work.started).to.deep.equal([0, 1, 2])
    expect(bench.queueReceiver.isIdle).to.equal(true)
  })

  it('settles and reports an assignment that can neither be handled nor returned', () => {
    const refusals = [new UnserializablePayload('no form'), new NoSubscribers('nobody'), new TypeError('broken')]
    for (const refusal of refusals) {
      sender.refusal = refusal
      bench.assign(1)
    }
    expect(bench.settled).to.equal(3)
    expect(bench.failures.slice(0, 2)).to.deep.equal(refusals.slice(0, 2))
    expect(bench.failures[2]).to.include({ code: 'LAHJA_HANDLER_ERROR', cause: refusals[2] })
    expect(bench.queueReceiver.isIdle).to.equal(true)
  })

  it('settles an assignment whose handler throws', () => {
    const subscription = bench.add('order.placed', throwing(new Error('broken')), { queue: 'q' })
    bench.assign(1)
    expect(bench.settled).to.equal(1)
    expect(bench.failures).to.have.lengthOf(1)
    expect(subscription.pending).to.equal(0)
  })

  describe('tells each sender how many of its assignments are settled', () => {
    let other: RecordingChannel

    beforeEach(() => {
      other = new RecordingChannel('other')
      bench.add('order.placed', () => {}, { queue: 'q' })
    })

    it('once a turn, each its own', () => {
      for (const channel of [sender, other, sender, sender]) bench.assign(1, channel)
      expect([sender.told, other.told]).to.deep.equal([[], []])
      bench.clock.turn()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 3 }])
      expect(other.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
      bench.clock.turn()
      bench.assign(1)
      bench.assign(1)
      bench.clock.turn()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 2 }])
      expect(other.told).to.deep.equal([])
    })

    it('at once on flush, and not again at the end of the turn', () => {
      bench.assign(1)
      bench.queueReceiver.flush()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
      bench.assign(1)
      bench.queueReceiver.flush()
      bench.queueReceiver.flush()
      bench.clock.turn()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
    })
  })
})
