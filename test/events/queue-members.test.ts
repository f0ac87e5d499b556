import { expect } from 'chai'
import { QueueMembers } from '../../src/events/queue-members'
import { type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import type { Subscription } from '../../src/events/subscription'
import { Subscriptions } from '../../src/events/subscriptions'
import { type LahjaError, NoSubscribers, UnserializablePayload } from '../../src/model/errors'
import type { Event, Handler } from '../../src/model/event'
import type { Assignment } from '../../src/wire/message'
import { ManualClock } from '../support/manual-clock'
import { RecordingChannel } from '../support/recording-channel'
import { Workbench } from '../support/workbench'

const eventOf = (payload: unknown, type = 'order.placed'): Event => ({ type, payload, origin: 'shop' })
const assignmentOf = (payload: unknown, queue = 'q'): Assignment => {
  return { kind: 'assign', queue, type: 'order.placed', isFixed: false, payload }
}

describe('QueueMembers', () => {
  let clock: ManualClock
  let subscriptions: Subscriptions
  let queueMembers: QueueMembers
  let failures: LahjaError[]
  let settlements: string[]
  let sender: RecordingChannel

  beforeEach(() => {
    clock = new ManualClock()
    failures = []
    settlements = []
    sender = new RecordingChannel('shop', { groups: ['web'] })
    const report = (error: LahjaError) => void failures.push(error)
    const announcer = { announce() {}, known: () => Promise.resolve() }
    subscriptions = new Subscriptions({ announcer, report, idle: () => {} })
    queueMembers = new QueueMembers({
      clock,
      membersOf: (queue, type) => subscriptions.membersOf(queue, type),
      report,
      settled: () => settlements.push('settled'),
    })
  })

  const add = (type: string, handler: Handler<unknown>, options: SubscribeOptions = {}) => {
    return subscriptions.add(subscribeSettings(type, handler, options))
  }

  /** Adds a subscription that logs its events under a label. */
  function collecting() {
    const got: string[] = []
    const subscribe = (name: string, type: string, options?: SubscribeOptions) => {
      return add(type, ({ payload }) => void got.push(`${name} ${payload}`), options)
    }
    return { got, subscribe }
  }

  /** Members with handlers whose calls the test ends. */
  function members(count: number, options: SubscribeOptions = {}) {
    return Array.from({ length: count }, () => {
      const bench = new Workbench()
      return { bench, subscription: add('order.*', bench.handle, { queue: 'q', ...options }) }
    })
  }
  const startedBy = (all: readonly { readonly bench: Workbench }[]) => all.map(({ bench }) => bench.started)

  it('hands an assignment to one member, and settles it when it is handled', async () => {
    const all = members(2)
    queueMembers.assign(assignmentOf(1), sender)
    expect(startedBy(all).flat()).to.deep.equal([1])
    expect(queueMembers.isIdle).to.equal(false)
    expect(settlements).to.have.lengthOf(0)
    for (const { bench } of all) await bench.finish(0)
    expect(settlements).to.have.lengthOf(1)
    expect(queueMembers.isIdle).to.equal(true)
    expect(sender.told).to.deep.equal([])
  })

  it('names the sender as the origin of an assignment', () => {
    const seen: Event[] = []
    add('order.placed', (event) => void seen.push(event), { queue: 'q' })
    queueMembers.assign(assignmentOf({ id: 'A1' }), sender)
    expect(seen).to.deep.equal([{ type: 'order.placed', payload: { id: 'A1' }, origin: 'shop' }])
  })

  it('hands an assignment to the member with the fewest events in flight', async () => {
    const [one, other] = members(2)
    for (let number = 0; number < 4; number++) queueMembers.assign(assignmentOf(number), sender)
    expect([one?.subscription.pending, other?.subscription.pending]).to.deep.equal([2, 2])
    await one?.bench.finish(0)
    await one?.bench.finish(0)
    queueMembers.assign(assignmentOf(4), sender)
    queueMembers.assign(assignmentOf(5), sender)
    expect([one?.subscription.pending, other?.subscription.pending]).to.deep.equal([2, 2])
    expect(one?.bench.started).to.include(4)
  })

  it('hands an assignment only to members of its queue whose from allows the origin', () => {
    const { got, subscribe } = collecting()
    for (const options of [{ queue: 'other' }, {}, { queue: 'q', from: 'till' }]) {
      subscribe('not meant', 'order.placed', options)
    }
    subscribe('meant', 'order.placed', { queue: 'q', from: { group: 'web' } })
    for (let number = 0; number < 4; number++) queueMembers.assign(assignmentOf(number), sender)
    expect(got).to.deep.equal(['meant 0', 'meant 1', 'meant 2', 'meant 3'])
  })

  it('returns an assignment unchanged if there is no member', () => {
    const { subscribe } = collecting()
    subscribe('other', 'order.placed', { queue: 'other' })
    const assignment: Assignment = { ...assignmentOf({ id: 'A1' }), isFixed: true }
    queueMembers.assign(assignment, sender)
    expect(sender.takeTold()).to.deep.equal([{ ...assignment, kind: 'return' }])
    expect(settlements).to.have.lengthOf(0)
    expect(queueMembers.isIdle).to.equal(true)
  })

  it('hands the waiting assignments of a member that left to others, and returns them when all have left', async () => {
    const [one, other] = members(2)
    for (let number = 0; number < 6; number++) queueMembers.assign(assignmentOf(number), sender)
    one?.subscription.unsubscribe()
    expect(other?.subscription.pending).to.equal(5)
    expect(sender.told).to.deep.equal([])
    other?.subscription.unsubscribe()
    const returned = sender.takeTold().map((message) => 'payload' in message && message.payload)
    const begun = [...(one?.bench.started ?? []), ...(other?.bench.started ?? [])]
    expect([...begun, ...returned].sort()).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(begun).to.have.lengthOf(2)
    expect(settlements).to.have.lengthOf(0)
    for (const { bench } of [one, other].flatMap((member) => member ?? [])) await bench.finish(0)
    expect(settlements).to.have.lengthOf(2)
    expect(queueMembers.isIdle).to.equal(true)
  })

  it('returns waiting assignments when the queues are left, and keeps other subscriptions', async () => {
    const all = members(2)
    const { got, subscribe } = collecting()
    subscribe('all', 'order.placed')
    for (let number = 0; number < 4; number++) queueMembers.assign(assignmentOf(number), sender)
    expect(subscriptions.leaveQueues()).to.equal(true)
    expect(subscriptions.leaveQueues()).to.equal(false)
    expect(sender.takeTold()).to.have.lengthOf(2)
    expect(queueMembers.isIdle).to.equal(false)
    for (const { bench } of all) await bench.finish(0)
    expect(queueMembers.isIdle).to.equal(true)
    subscriptions.deliver(eventOf(7), sender)
    expect(got).to.deep.equal(['all 7'])
  })

  it('settles and reports an assignment that can neither be handled nor returned', () => {
    const refusals = [new UnserializablePayload('no form'), new NoSubscribers('nobody'), new TypeError('broken')]
    for (const refusal of refusals) {
      sender.refusal = refusal
      queueMembers.assign(assignmentOf(1), sender)
    }
    expect(settlements).to.have.lengthOf(3)
    expect(failures.slice(0, 2)).to.deep.equal(refusals.slice(0, 2))
    expect(failures[2]).to.include({ code: 'LAHJA_HANDLER_ERROR', cause: refusals[2] })
    expect(queueMembers.isIdle).to.equal(true)
  })

  it('settles an assignment whose handler throws', () => {
    const subscription: Subscription = add(
      'order.placed',
      () => {
        throw new Error('broken')
      },
      { queue: 'q' },
    )
    queueMembers.assign(assignmentOf(1), sender)
    expect(settlements).to.have.lengthOf(1)
    expect(failures).to.have.lengthOf(1)
    expect(subscription.pending).to.equal(0)
  })

  describe('tells each sender how many of its assignments are settled', () => {
    let other: RecordingChannel

    beforeEach(() => {
      other = new RecordingChannel('other')
      add('order.placed', () => {}, { queue: 'q' })
    })

    it('once a turn, each its own', () => {
      for (const channel of [sender, other, sender, sender]) queueMembers.assign(assignmentOf(1), channel)
      expect([sender.told, other.told]).to.deep.equal([[], []])
      clock.turn()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 3 }])
      expect(other.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
      clock.turn()
      queueMembers.assign(assignmentOf(1), sender)
      queueMembers.assign(assignmentOf(1), sender)
      clock.turn()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 2 }])
      expect(other.told).to.deep.equal([])
    })

    it('at once on flush, and not again at the end of the turn', () => {
      queueMembers.assign(assignmentOf(1), sender)
      queueMembers.flush()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
      queueMembers.assign(assignmentOf(1), sender)
      queueMembers.flush()
      queueMembers.flush()
      clock.turn()
      expect(sender.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
    })
  })
})
