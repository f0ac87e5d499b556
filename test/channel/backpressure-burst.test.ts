import { expect } from 'chai'
import fc from 'fast-check'
import { BackpressureModel, type Bounds, type Push } from '../support/backpressure-model'

/** Room for bursts, and a total that they may be over. */
const bounds: fc.Arbitrary<Bounds> = fc.record({
  window: fc.integer({ min: 1, max: 5000 }),
  outbox: fc.integer({ min: 140_000, max: 300_000 }),
  outboxTotal: fc.constantFrom(1, 150_000, 100_000_000),
})

const push: fc.Arbitrary<Push> = fc.record({
  policy: fc.constantFrom('wait', 'dropOldest', 'dropNewest', 'latest'),
  key: fc.constantFrom('a', 'b'),
  bytes: fc.nat(400),
  isAssignment: fc.boolean(),
})

const count = fc.integer({ min: 1, max: 30 })
const bytes = fc.constantFrom(1, 300, 6000)

type Step = (model: BackpressureModel) => Promise<void> | void

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(count, bytes).map(
      (all): Step =>
        (model) =>
          model.burst(...all),
    ),
  },
  {
    weight: 3,
    arbitrary: push.map(
      (push): Step =>
        (model) =>
          model.push(push),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(0.3, 1).map(
      (share): Step =>
        (model) =>
          model.arrive(share),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(20).map(
      (index): Step =>
        (model) =>
          model.settle(index),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Step>((model) => model.leave()) },
  { weight: 2, arbitrary: fc.constant<Step>((model) => model.turn()) },
  { weight: 2, arbitrary: fc.constant<Step>((model) => model.credit()) },
  {
    weight: 1,
    arbitrary: fc.nat(2).map(
      (remainder): Step =>
        (model) =>
          model.recall(remainder),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('nobody' as const, 'one' as const).map(
      (holding): Step =>
        (model) => {
          model.holding = holding
        },
    ),
  },
)

async function run(bounds: Bounds, steps: readonly Step[]): Promise<BackpressureModel> {
  const model = new BackpressureModel(bounds)
  for (const step of steps) await step(model)
  return model
}

const steps = fc.array(step, { maxLength: 60, size: 'max' })

describe('An outbox and a receive window, with random bursts of events,', () => {
  it('stay within their bounds, keep the order, and lose nothing in silence (G4, G5, G7)', async () => {
    await fc.assert(
      fc.asyncProperty(bounds, steps, async (bounds, steps) => {
        const model = await run(bounds, steps)
        model.check()
        await model.drain()
        const numbers = model.arrivals.filter((arrival) => typeof arrival === 'number')
        expect(numbers).to.deep.equal([...new Set(numbers)].sort((one, other) => one - other))
        const told = model.arrivals.reduce<number>((sum, one) => sum + (typeof one === 'number' ? 0 : one.gap), 0)
        expect(numbers.length + told + model.recalled.size).to.equal(model.pushed)
        model.close()
      }),
      { numRuns: 100 },
    )
  })

  it('account for everything when they are closed at any time (G5)', async () => {
    await fc.assert(
      fc.asyncProperty(bounds, steps, async (bounds, steps) => {
        const model = await run(bounds, steps)
        model.close()
      }),
      { numRuns: 100 },
    )
  })
})
