import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import type { Receipt } from '../../src/channel/receive-window'
import type { Consumption } from '../../src/events/consumer'
import type { Event } from '../../src/model/event'
import { consumerWith, eventOf } from '../support/consumer-bench'
import { CountedAccount, CountedReceipt, turn, Workbench } from '../support/workbench'

const OPEN: [number, number] = [0, 0]
const HANDLED: [number, number] = [1, 0]
const GIVEN_BACK: [number, number] = [0, 1]

/** A consumer with a buffer, and the events in it. */
function keeping(options: Parameters<typeof consumerWith>[1] = {}) {
  const kept: [event: Event, receipt: Receipt][] = []
  const consumption: Consumption = {
    kind: 'buffer',
    buffer: {
      keep: (event, receipt) => void kept.push([event, receipt]),
      get size() {
        return kept.length
      },
      unread: () => kept.map(([{ type }, receipt]) => ({ type, receipt })),
      emptied: () => {},
    },
  }
  return { kept, ...consumerWith(() => {}, { consumption, ...options }) }
}

describe('Consumer with receipts', () => {
  let account: CountedAccount

  beforeEach(() => {
    account = new CountedAccount()
  })

  it('takes no receipt for an event that its handler finishes synchronously, or by throwing', () => {
    const { consumer } = consumerWith(({ payload }) => {
      if (payload === 1) throw new Error('broken')
    })
    for (let number = 0; number < 3; number++) consumer.deliver(eventOf(number), account)
    expect(account.receipts).to.deep.equal([])
  })

  it('keeps the receipt of an event until the promise of its handler settles, either way', async () => {
    const bench = new Workbench()
    const { consumer } = consumerWith(bench.handle, { concurrency: 2 })
    for (let number = 0; number < 2; number++) consumer.deliver(eventOf(number), account)
    await turn()
    expect(account.outcomes).to.deep.equal([OPEN, OPEN])
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, OPEN])
    await bench.finish(0, true)
    expect(account.outcomes).to.deep.equal([HANDLED, HANDLED])
  })

  it('keeps one receipt for each waiting event until it is handled', async () => {
    const bench = new Workbench()
    const { consumer } = consumerWith(bench.handle)
    for (let number = 0; number < 3; number++) consumer.deliver(eventOf(number), account)
    expect(account.outcomes).to.deep.equal([OPEN, OPEN, OPEN])
    for (let done = 1; done <= 3; done++) {
      await bench.finish(0)
      const outcomes = [0, 1, 2].map((number) => (number < done ? HANDLED : OPEN))
      expect(account.outcomes).to.deep.equal(outcomes)
    }
  })

  it('settles a waiting event that is then handled synchronously', async () => {
    const bench = new Workbench()
    const { consumer } = consumerWith((event) => (event.payload === 0 ? bench.handle(event) : undefined))
    for (let number = 0; number < 3; number++) consumer.deliver(eventOf(number), account)
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, HANDLED, HANDLED])
  })

  it('gives waiting events back on close, and settles running ones when they finish', async () => {
    const bench = new Workbench()
    const { consumer } = consumerWith(bench.handle)
    for (let number = 0; number < 2; number++) consumer.deliver(eventOf(number), account)
    consumer.close()
    expect(account.outcomes).to.deep.equal([OPEN, GIVEN_BACK])
    consumer.deliver(eventOf(2), account)
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, GIVEN_BACK])
  })

  it('settles an event that does not fit its schema', async () => {
    const bench = new Workbench()
    const { consumer, failures } = consumerWith(bench.handle, { schema: z.number() })
    consumer.deliver(eventOf('no number'), account)
    expect(account.receipts).to.deep.equal([])
    for (const payload of [0, 'no number']) consumer.deliver(eventOf(payload), account)
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, HANDLED])
    expect(failures).to.have.lengthOf(2)
  })

  describe('with a buffer', () => {
    it('hands over each event at once, with a receipt that the buffer settles', async () => {
      const { kept, consumer } = keeping()
      for (let number = 0; number < 3; number++) consumer.deliver(eventOf(number), account)
      expect(kept).to.deep.equal([0, 1, 2].map((number, index) => [eventOf(number), account.receipts[index]]))
      await turn()
      expect(account.outcomes).to.deep.equal([OPEN, OPEN, OPEN])
      consumer.close()
      expect(account.outcomes).to.deep.equal([OPEN, OPEN, OPEN])
      expect(consumer.load).to.equal(3)
      expect([...consumer.unhandled()]).to.deep.equal(account.receipts.map((receipt) => ({ type: 'n', receipt })))
    })

    it('passes on the receipt of an event that already has one', () => {
      const { kept, consumer } = keeping()
      const receipt = new CountedReceipt()
      consumer.take(eventOf(1), receipt)
      expect(kept).to.deep.equal([[eventOf(1), receipt]])
      expect(receipt.outcome).to.deep.equal(OPEN)
    })

    it('buffers the transformed payload, and no event that does not fit', () => {
      const { kept, consumer, failures } = keeping({ schema: z.string().transform((text) => text.length) })
      for (const payload of ['noon', 7]) consumer.deliver(eventOf(payload), account)
      expect(kept.map(([{ payload }]) => payload)).to.deep.equal([4])
      expect(account.outcomes).to.deep.equal([OPEN])
      expect(failures).to.have.lengthOf(1)
    })

    it('hands over nothing after close', () => {
      const { kept, consumer } = keeping()
      consumer.close()
      consumer.deliver(eventOf(1), account)
      expect(kept).to.deep.equal([])
      expect(account.receipts).to.deep.equal([])
    })
  })

  it('keeps receipts for exactly the running and waiting events, in any order of steps (G7)', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('fast', 'slow', 'throws') },
      { weight: 4, arbitrary: fc.record({ finish: fc.nat(5), fails: fc.boolean() }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, concurrency) => {
          const bench = new Workbench()
          const account = new CountedAccount()
          const { consumer } = consumerWith(
            (event) => {
              if (event.payload === 'throws') throw new Error('broken')
              return event.payload === 'slow' ? bench.handle(event) : undefined
            },
            { concurrency },
          )
          for (const step of steps) {
            if (typeof step === 'string') consumer.deliver(eventOf(step), account)
            else await bench.finish(step.finish, step.fails)
            const held = account.outcomes.filter(([handled]) => handled === 0)
            expect(held).to.have.lengthOf(consumer.load)
          }
          while (bench.running > 0) await bench.finish(0)
          for (const outcome of account.outcomes) expect(outcome).to.deep.equal(HANDLED)
        },
      ),
      { numRuns: 60 },
    )
  })
})
