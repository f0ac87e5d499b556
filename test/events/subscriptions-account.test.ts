import { expect } from 'chai'
import { QueueMembers } from '../../src/events/queue-members'
import { type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import { Subscriptions } from '../../src/events/subscriptions'
import type { LahjaError } from '../../src/model/errors'
import type { Handler } from '../../src/model/event'
import { ManualClock } from '../support/manual-clock'
import { RecordingChannel } from '../support/recording-channel'
import { Workbench } from '../support/workbench'

describe('Subscriptions, accounting to the sender,', () => {
  let subscriptions: Subscriptions
  let queueMembers: QueueMembers
  let sender: RecordingChannel

  beforeEach(() => {
    sender = new RecordingChannel('shop', { limits: { windowBytes: 100 } })
    const report = (error: LahjaError) => expect.fail(error.message)
    const announcer = { announce() {}, known: () => Promise.resolve() }
    subscriptions = new Subscriptions({ announcer, report, idle() {} })
    queueMembers = new QueueMembers({
      clock: new ManualClock(),
      membersOf: (queue, type) => subscriptions.membersOf(queue, type),
      report,
      settled() {},
    })
  })

  const add = (type: string, handler: Handler<unknown>, options: SubscribeOptions = {}) => {
    return subscriptions.add(subscribeSettings(type, handler, options))
  }
  const deliver = () => {
    const event = { type: 'order.placed', payload: 1, origin: 'shop' }
    sender.receive(60, () => subscriptions.deliver(event, sender))
  }
  const assign = (payload: unknown, bytes = 60) => {
    const assignment = { kind: 'assign', queue: 'q', type: 'order.placed', isFixed: false, payload } as const
    sender.receive(bytes, () => queueMembers.assign(assignment, sender))
  }

  it('give credit for an event when the last handler is done with it', async () => {
    const benches = [new Workbench(), new Workbench()]
    for (const bench of benches) add('order.placed', bench.handle)
    add('order.placed', () => {})
    deliver()
    await benches[0]?.finish(0)
    expect(sender.credits).to.deep.equal([])
    await benches[1]?.finish(0)
    expect(sender.credits).to.deep.equal([60])
  })

  it('give credit at once for an event without a subscription', () => {
    add('order.paid', () => new Promise(() => {}))
    deliver()
    expect(sender.credits).to.deep.equal([60])
  })

  it('give credit for an assignment when it is handled, whichever member handles it', async () => {
    const [first, second] = [new Workbench(), new Workbench()]
    const one = add('order.placed', first.handle, { queue: 'q' })
    assign(1)
    assign(2)
    add('order.placed', second.handle, { queue: 'q' })
    one.unsubscribe()
    expect(second.started).to.deep.equal([2])
    expect(sender.credits).to.deep.equal([])
    await second.finish(0)
    expect(sender.credits).to.deep.equal([60])
    await first.finish(0)
    expect(sender.credits).to.deep.equal([60, 60])
  })

  it('give credit for an assignment when it is returned, at once or later', () => {
    assign(1)
    expect(sender.takeTold()).to.have.lengthOf(1)
    expect(sender.credits).to.deep.equal([60])
    const member = add('order.placed', () => new Promise(() => {}), { queue: 'q' })
    assign(1, 1)
    assign(1)
    member.unsubscribe()
    expect(sender.takeTold()).to.have.lengthOf(1)
    expect(sender.credits).to.deep.equal([60, 60])
  })
})
