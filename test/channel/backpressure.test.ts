import { expect } from 'chai'
import fc from 'fast-check'
import { BackpressureModel, type Bounds, type Holding, type Push } from '../support/backpressure-model'
import { Watched } from '../support/watched'

type Policy = Push['policy']

const tight: fc.Arbitrary<Bounds> = fc.record({
  windowBytes: fc.integer({ min: 1, max: 1500 }),
  outboxBytes: fc.integer({ min: 500, max: 3000 }),
  outboxTotalBytes: fc.constantFrom(1, 70_000, 1_000_000),
})

/** Room for more than a slab, and a budget that may be exceeded. */
const wide: fc.Arbitrary<Bounds> = fc.record({
  windowBytes: fc.integer({ min: 1, max: 5000 }),
  outboxBytes: fc.integer({ min: 140_000, max: 300_000 }),
  outboxTotalBytes: fc.constantFrom(1, 150_000, 100_000_000),
})

const bounds = fc.oneof({ weight: 3, arbitrary: tight }, { weight: 1, arbitrary: wide })

const roomy: fc.Arbitrary<Bounds> = fc.record({
  windowBytes: fc.integer({ min: 1, max: 1500 }),
  outboxBytes: fc.constant(1_000_000),
  outboxTotalBytes: fc.constant(100_000_000),
})

function stepsWith(...policies: Policy[]) {
  const push = fc.record({
    policy: fc.constantFrom(...policies),
    key: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.oneof(fc.nat(40), fc.nat(400)),
    isAssignment: fc.boolean(),
  })
  const burst = fc.record({
    kind: fc.constant('burst' as const),
    count: fc.integer({ min: 2, max: 30 }),
    push: fc.tuple(push, fc.constantFrom(1, 300, 6000)).map(([push, bytes]) => ({ ...push, bytes })),
  })
  const holding = fc.constantFrom<Holding>('none', 'one', 'two', 'one at once, one later')
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('push' as const), push }) },
    { weight: 2, arbitrary: burst },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('arrive' as const), share: fc.constantFrom(0.3, 1) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), index: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('leave', 'turn', 'credit') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('hold' as const), holding }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), remainder: fc.nat(2) }) },
  )
  return fc.array(step, { maxLength: 120, size: 'max' })
}

type Step = ReturnType<typeof stepsWith> extends fc.Arbitrary<(infer One)[]> ? One : never

async function take(model: BackpressureModel, step: Step): Promise<void> {
  if (step.kind === 'push') model.push(step.push)
  else if (step.kind === 'burst') for (let event = 0; event < step.count; event++) model.push(step.push)
  else if (step.kind === 'arrive') model.arrive(step.share)
  else if (step.kind === 'settle') model.settle(step.index)
  else if (step.kind === 'hold') model.holding = step.holding
  else if (step.kind === 'remove') model.removeAssignments(step.remainder)
  else if (step.kind === 'leave') await model.leave()
  else if (step.kind === 'turn') model.turn()
  else model.credit()
}

async function run(bounds: Bounds, steps: readonly Step[]): Promise<BackpressureModel> {
  const model = new BackpressureModel(bounds)
  for (const step of steps) {
    await take(model, step)
    model.check()
  }
  return model
}

/** For each event that arrived, how many before it are missing, and how many of those gaps have counted by then. */
function gapsOf({ arrivals, removed, pushed }: BackpressureModel) {
  const places: { number: number; missing: number; counted: number }[] = []
  let [next, missing, counted] = [0, 0, 0]
  const goTo = (number: number) => {
    for (; next < number; next++) if (!removed.has(next)) missing++
  }
  for (const arrival of arrivals) {
    if (typeof arrival === 'object') counted += arrival.gap
    else {
      expect(arrival, 'an event that came twice or out of order').to.be.at.least(next)
      goTo(arrival)
      next++
      places.push({ number: arrival, missing, counted })
    }
  }
  goTo(pushed)
  return { places, missing, counted }
}

describe('An outbox and a receive window, in random runs,', () => {
  it('stay within their bounds, keep the order and count every dropped event, under all policies (G4, G5, G7)', async () => {
    const steps = stepsWith('wait', 'dropOldest', 'dropNewest', 'latest')
    await fc.assert(
      fc.asyncProperty(bounds, steps, async (bounds, steps) => {
        const model = await run(bounds, steps)
        await model.drain()
        const { places, missing, counted } = gapsOf(model)
        expect(counted).to.equal(missing)
        for (const { number, missing, counted } of places) {
          expect(counted, `counted before ${number}`).to.be.at.least(missing)
        }
        model.close()
      }),
      { numRuns: 150 },
    )
  })

  for (const policies of [['wait', 'dropOldest'], ['dropNewest'], ['latest']] as const) {
    it(`put a gap exactly where events were dropped under ${policies.join(' and ')} (G5)`, async () => {
      await fc.assert(
        fc.asyncProperty(bounds, stepsWith(...policies), async (bounds, steps) => {
          const model = await run(bounds, steps)
          await model.drain()
          for (const { number, missing, counted } of gapsOf(model).places) {
            expect(counted, `counted before ${number}`).to.equal(missing)
          }
        }),
        { numRuns: 100 },
      )
    })
  }

  it('account for every event when the outbox closes at any time (G5, G7)', async () => {
    const steps = stepsWith('wait', 'dropOldest', 'dropNewest', 'latest')
    await fc.assert(
      fc.asyncProperty(bounds, steps, async (bounds, steps) => {
        const model = await run(bounds, steps)
        model.close()
      }),
      { numRuns: 150 },
    )
  })

  it('deliver the last value of every key under latest', async () => {
    await fc.assert(
      fc.asyncProperty(roomy, stepsWith('latest', 'wait'), async (bounds, steps) => {
        const model = await run(bounds, steps)
        await model.drain()
        for (const number of model.newest.values()) {
          if (!model.removed.has(number)) expect(model.arrivals).to.include(number)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('An outbox with a used-up window', () => {
  const EVENT: Push = { policy: 'wait', key: '', bytes: 100, isAssignment: true }

  /** One event has left; the others stay queued. */
  async function usedUp(): Promise<BackpressureModel> {
    const model = new BackpressureModel({ windowBytes: 1, outboxBytes: 3000, outboxTotalBytes: 1_000_000 })
    model.push(EVENT)
    model.turn()
    await model.leave()
    return model
  }

  it('is flushed once its last queued event is removed', async () => {
    const model = await usedUp()
    for (let count = 0; count < 3; count++) model.push(EVENT)
    const flushed = new Watched(model.outbox.flushed())
    for (const remainder of [0, 1, 2]) model.removeAssignments(remainder)
    expect(model.outbox.queuedEvents).to.equal(0)
    await model.leave()
    expect(flushed.isDone).to.equal(true)
  })

  it('lets senders go on once newer values bring it below its mark', async () => {
    const model = await usedUp()
    model.push({ ...EVENT, policy: 'latest', bytes: 2000 })
    const drained = new Watched(model.outbox.drained())
    model.push({ ...EVENT, policy: 'latest', bytes: 1 })
    expect(model.outbox.needsDrain).to.equal(false)
    await model.leave()
    expect(drained.isDone).to.equal(true)
  })
})
