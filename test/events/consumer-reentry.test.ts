import { expect } from 'chai'
import { consumerWith, eventOf } from '../support/consumer-bench'
import { CountedReceipt, Workbench } from '../support/workbench'

describe('Consumer, given an event from inside its handler,', () => {
  it('queues it', async () => {
    const bench = new Workbench()
    const { consumer } = consumerWith((event) => {
      if (event.payload === 1) consumer.take(eventOf(2), new CountedReceipt())
      return bench.handle(event)
    })
    consumer.take(eventOf(1), new CountedReceipt())
    consumer.take(eventOf(3), new CountedReceipt())
    expect(bench.started).to.deep.equal([1])
    for (const started of [
      [1, 2],
      [1, 2, 3],
    ]) {
      await bench.finish(0)
      expect(bench.started).to.deep.equal(started)
    }
  })

  it('handles it as soon as a synchronous handler returns', () => {
    const log: string[] = []
    const { consumer } = consumerWith(({ payload }) => {
      log.push(`begin ${payload}`)
      if (payload === 1) consumer.take(eventOf(2), new CountedReceipt())
      log.push(`end ${payload}`)
    })
    consumer.deliver(eventOf(1), { hold: () => new CountedReceipt() })
    expect(log).to.deep.equal(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })
})
