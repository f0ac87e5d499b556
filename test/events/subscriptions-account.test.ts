import { expect } from 'chai'
import { SubscriptionsBench } from '../support/subscriptions-bench'
import { Workbench } from '../support/workbench'

describe('Subscriptions, accounting to the sender,', () => {
  let bench: SubscriptionsBench

  beforeEach(() => {
    bench = new SubscriptionsBench(100)
  })
  afterEach(() => expect(bench.failures).to.deep.equal([]))

  const deliver = () => bench.sender.receive(60, () => bench.deliver(1))
  const assign = (payload: unknown, bytes = 60) => bench.sender.receive(bytes, () => bench.assign(payload))

  it('give credit for an event when the last handler is done with it', async () => {
    const works = [new Workbench(), new Workbench()]
    for (const work of works) bench.add('order.placed', work.handle)
    bench.add('order.placed', () => {})
    deliver()
    await works[0]?.finish(0)
    expect(bench.sender.credits).to.deep.equal([])
    await works[1]?.finish(0)
    expect(bench.sender.credits).to.deep.equal([60])
  })

  it('give credit at once for an event without a subscription', () => {
    bench.add('order.paid', () => new Promise(() => {}))
    deliver()
    expect(bench.sender.credits).to.deep.equal([60])
  })

  it('give credit for an assignment when it is handled, whichever member handles it', async () => {
    const [first, second] = [new Workbench(), new Workbench()]
    const one = bench.add('order.placed', first.handle, { queue: 'q' })
    assign(1)
    assign(2)
    bench.add('order.placed', second.handle, { queue: 'q' })
    one.unsubscribe()
    expect(second.started).to.deep.equal([2])
    expect(bench.sender.credits).to.deep.equal([])
    await second.finish(0)
    expect(bench.sender.credits).to.deep.equal([60])
    await first.finish(0)
    expect(bench.sender.credits).to.deep.equal([60, 60])
  })

  it('give credit for an assignment when it is returned, at once or later', () => {
    assign(1)
    expect(bench.sender.takeTold()).to.have.lengthOf(1)
    expect(bench.sender.credits).to.deep.equal([60])
    const member = bench.add('order.placed', () => new Promise(() => {}), { queue: 'q' })
    assign(1, 1)
    assign(1)
    member.unsubscribe()
    expect(bench.sender.takeTold()).to.have.lengthOf(1)
    expect(bench.sender.credits).to.deep.equal([60, 60])
  })
})
