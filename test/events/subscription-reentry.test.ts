import { expect } from 'chai'
import { eventOf, subscriptionWith } from '../support/subscription-bench'
import { CountedReceipt, Workbench } from '../support/workbench'

describe('A subscription that is given an event while its handler is called', () => {
  it('keeps it until there is room, and keeps its turn', async () => {
    const bench = new Workbench()
    const { subscription } = subscriptionWith((event) => {
      if (event.payload === 1) subscription.take(eventOf(2), new CountedReceipt())
      return bench.handle(event)
    })
    subscription.take(eventOf(1), new CountedReceipt())
    subscription.take(eventOf(3), new CountedReceipt())
    expect(bench.started).to.deep.equal([1])
    for (const started of [
      [1, 2],
      [1, 2, 3],
    ]) {
      await bench.finish(0)
      expect(bench.started).to.deep.equal(started)
    }
  })

  it('begins on it as soon as a handler that is not async has returned', () => {
    const log: string[] = []
    const { subscription } = subscriptionWith(({ payload }) => {
      log.push(`begin ${payload}`)
      if (payload === 1) subscription.take(eventOf(2), new CountedReceipt())
      log.push(`end ${payload}`)
    })
    subscription.deliver(eventOf(1), { hold: () => new CountedReceipt() })
    expect(log).to.deep.equal(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })
})
