import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import type { Receipt } from '../../src/channel/receive-window'
import type { Consumer } from '../../src/events/subscription'
import type { Event } from '../../src/model/event'
import { eventOf, subscriptionWith } from '../support/subscription-bench'
import { CountedAccount, CountedReceipt, turn, Workbench } from '../support/workbench'

const OPEN: [number, number] = [0, 0]
const HANDLED: [number, number] = [1, 0]
const GIVEN_BACK: [number, number] = [0, 1]

/** A subscription whose events are kept, and what it has kept. */
function keeping(options: Parameters<typeof subscriptionWith>[1] = {}) {
  const kept: [event: Event, receipt: Receipt][] = []
  const consumer: Consumer = { kind: 'keeper', keep: (event, receipt) => void kept.push([event, receipt]) }
  return { kept, ...subscriptionWith(() => {}, { consumer, ...options }) }
}

describe('Subscription, on the account of who sends,', () => {
  let account: CountedAccount

  beforeEach(() => {
    account = new CountedAccount()
  })

  it('holds nothing that its handler is done with at once, also by throwing', () => {
    const { subscription } = subscriptionWith(({ payload }) => {
      if (payload === 1) throw new Error('broken')
    })
    for (let number = 0; number < 3; number++) subscription.deliver(eventOf(number), account)
    expect(account.receipts).to.deep.equal([])
  })

  it('holds an event until the promise of its handler has settled, either way', async () => {
    const bench = new Workbench()
    const { subscription } = subscriptionWith(bench.handle, { concurrency: 2 })
    for (let number = 0; number < 2; number++) subscription.deliver(eventOf(number), account)
    await turn()
    expect(account.outcomes).to.deep.equal([OPEN, OPEN])
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, OPEN])
    await bench.finish(0, true)
    expect(account.outcomes).to.deep.equal([HANDLED, HANDLED])
  })

  it('holds what waits until its own turn is over, by one receipt each', async () => {
    const bench = new Workbench()
    const { subscription } = subscriptionWith(bench.handle)
    for (let number = 0; number < 3; number++) subscription.deliver(eventOf(number), account)
    expect(account.outcomes).to.deep.equal([OPEN, OPEN, OPEN])
    for (let done = 1; done <= 3; done++) {
      await bench.finish(0)
      const outcomes = [0, 1, 2].map((number) => (number < done ? HANDLED : OPEN))
      expect(account.outcomes).to.deep.equal(outcomes)
    }
  })

  it('lets go of what has waited and needed no wait then', async () => {
    const bench = new Workbench()
    const { subscription } = subscriptionWith((event) => (event.payload === 0 ? bench.handle(event) : undefined))
    for (let number = 0; number < 3; number++) subscription.deliver(eventOf(number), account)
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, HANDLED, HANDLED])
  })

  it('lets go of what waits when it is over, and of what it has begun when that has ended', async () => {
    const bench = new Workbench()
    const { subscription } = subscriptionWith(bench.handle)
    for (let number = 0; number < 2; number++) subscription.deliver(eventOf(number), account)
    subscription.unsubscribe()
    expect(account.outcomes).to.deep.equal([OPEN, GIVEN_BACK])
    subscription.deliver(eventOf(2), account)
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, GIVEN_BACK])
  })

  it('lets go of what does not fit its schema', async () => {
    const bench = new Workbench()
    const { subscription, failures } = subscriptionWith(bench.handle, { schema: z.number() })
    subscription.deliver(eventOf('no number'), account)
    expect(account.receipts).to.deep.equal([])
    for (const payload of [0, 'no number']) subscription.deliver(eventOf(payload), account)
    await bench.finish(0)
    expect(account.outcomes).to.deep.equal([HANDLED, HANDLED])
    expect(failures).to.have.lengthOf(2)
  })

  describe('where events are kept', () => {
    it('hands over each at once, with a receipt that it leaves to who keeps it', async () => {
      const { kept, subscription } = keeping()
      for (let number = 0; number < 3; number++) subscription.deliver(eventOf(number), account)
      expect(kept).to.deep.equal([0, 1, 2].map((number, index) => [eventOf(number), account.receipts[index]]))
      await turn()
      expect(account.outcomes).to.deep.equal([OPEN, OPEN, OPEN])
      subscription.unsubscribe()
      expect(account.outcomes).to.deep.equal([OPEN, OPEN, OPEN])
      expect(subscription.load).to.equal(0)
    })

    it('passes on the receipt of what is on an account already', () => {
      const { kept, subscription } = keeping()
      const receipt = new CountedReceipt()
      subscription.take(eventOf(1), receipt)
      expect(kept).to.deep.equal([[eventOf(1), receipt]])
      expect(receipt.outcome).to.deep.equal(OPEN)
    })

    it('keeps what the schema makes of a payload, and nothing that does not fit', () => {
      const { kept, subscription, failures } = keeping({ schema: z.string().transform((text) => text.length) })
      for (const payload of ['noon', 7]) subscription.deliver(eventOf(payload), account)
      expect(kept.map(([{ payload }]) => payload)).to.deep.equal([4])
      expect(account.outcomes).to.deep.equal([OPEN])
      expect(failures).to.have.lengthOf(1)
    })

    it('hands over nothing when it is over', () => {
      const { kept, subscription } = keeping()
      subscription.unsubscribe()
      subscription.deliver(eventOf(1), account)
      expect(kept).to.deep.equal([])
      expect(account.receipts).to.deep.equal([])
    })
  })

  it('holds exactly what is under way and what waits, whatever happens in whatever order (G7)', async () => {
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
          const { subscription } = subscriptionWith(
            (event) => {
              if (event.payload === 'throws') throw new Error('broken')
              return event.payload === 'slow' ? bench.handle(event) : undefined
            },
            { concurrency },
          )
          for (const step of steps) {
            if (typeof step === 'string') subscription.deliver(eventOf(step), account)
            else await bench.finish(step.finish, step.fails)
            const held = account.outcomes.filter(([handled]) => handled === 0)
            expect(held).to.have.lengthOf(subscription.load)
          }
          while (bench.running > 0) await bench.finish(0)
          for (const outcome of account.outcomes) expect(outcome).to.deep.equal(HANDLED)
        },
      ),
      { numRuns: 60 },
    )
  })
})
