import { expect } from 'chai'
import { type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import { Subscriptions } from '../../src/events/subscriptions'
import type { Handler } from '../../src/model/event'
import { RecordingChannel } from '../support/recording-channel'
import { Workbench } from '../support/workbench'

describe('Subscriptions keep on the account of who sends', () => {
  let subscriptions: Subscriptions
  let sender: RecordingChannel

  beforeEach(() => {
    sender = new RecordingChannel('shop', { limits: { windowBytes: 100 } })
    subscriptions = new Subscriptions({
      announce() {},
      known: () => Promise.resolve(),
      failed: (error) => expect.fail(error.message),
      settled() {},
      idle() {},
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
    sender.receive(bytes, () => subscriptions.assign(assignment, sender))
  }

  it('an event until the last of those who got it is done with it', async () => {
    const benches = [new Workbench(), new Workbench()]
    for (const bench of benches) add('order.placed', bench.handle)
    add('order.placed', () => {})
    deliver()
    await benches[0]?.finish(0)
    expect(sender.credits).to.deep.equal([])
    await benches[1]?.finish(0)
    expect(sender.credits).to.deep.equal([60])
  })

  it('an event that nobody got no longer than that', () => {
    add('order.paid', () => new Promise(() => {}))
    deliver()
    expect(sender.credits).to.deep.equal([60])
  })

  it('an assignment until it is handled, by whomever', async () => {
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

  it('no assignment that is given back, at once or later', () => {
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
