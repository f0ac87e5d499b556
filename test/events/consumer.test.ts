import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { HandlerError, InvalidPayload } from '../../src/model/errors'
import type { Event } from '../../src/model/event'
import type { StandardSchema } from '../../src/model/schema'
import { consumerWith, eventOf } from '../support/consumer-bench'
import { ODD_PROMISES } from '../support/odd-promises'
import { throwing } from '../support/throwing'
import { CountedReceipt, turn, Workbench } from '../support/workbench'

/** An account that ignores its receipts. */
const ACCOUNT = { hold: () => new CountedReceipt() }

const HANDLED: [number, number] = [1, 0]
const GIVEN_BACK: [number, number] = [0, 1]

/** A schema that calls this whenever it validates. */
const schemaThat = (act: () => void): StandardSchema => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      act()
      return { value }
    },
  },
})

describe('Consumer', () => {
  it('calls its handler without a `this`, whether the call is measured or not', () => {
    const seen: unknown[] = []
    const { consumer } = consumerWith(function (this: unknown) {
      seen.push(this)
    })
    for (let number = 0; number < 600; number++) consumer.take(eventOf(number), { done: () => {}, release: () => {} })
    expect(seen).to.have.length(600)
    expect(new Set(seen)).to.deep.equal(new Set([undefined]))
  })

  it('calls no handler after its schema has closed it, and gives the event back', () => {
    const handled: unknown[] = []
    const schema = schemaThat(() => consumer.close())
    const { consumer } = consumerWith(({ payload }) => handled.push(payload), { schema })
    const receipt = new CountedReceipt()
    consumer.take(eventOf(1), receipt)
    expect(handled).to.deep.equal([])
    expect(receipt.outcome).to.deep.equal(GIVEN_BACK)
    expect(consumer.load).to.equal(0)
  })

  it('calls its handler synchronously with the event', () => {
    const seen: Event[] = []
    const { consumer } = consumerWith((event) => void seen.push(event))
    consumer.deliver(eventOf(1), ACCOUNT)
    consumer.deliver(eventOf(2), ACCOUNT)
    expect(seen).to.deep.equal([eventOf(1), eventOf(2)])
    expect(consumer.load).to.equal(0)
  })

  for (const concurrency of [1, 3, Number.POSITIVE_INFINITY]) {
    it(`begins events in order, and runs at most ${concurrency} at a time`, async () => {
      const step = fc.oneof(fc.constant('deliver'), fc.record({ finish: fc.nat(10), fails: fc.boolean() }))
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const bench = new Workbench()
          const { consumer } = consumerWith(bench.handle, { concurrency })
          let [delivered, underWay] = [0, 0]
          for (const step of steps) {
            if (typeof step === 'string') {
              consumer.deliver(eventOf(delivered++), ACCOUNT)
              underWay++
            } else {
              if (bench.running > 0) underWay--
              await bench.finish(step.finish, step.fails)
            }
            expect(bench.running).to.equal(Math.min(underWay, concurrency))
            expect(consumer.load).to.equal(underWay)
          }
          while (bench.running > 0) await bench.finish(0)
          expect(bench.started).to.deep.equal([...Array(delivered).keys()])
          expect(consumer.load).to.equal(0)
        }),
        { numRuns: 60 },
      )
    })
  }

  it('lets no event overtake a waiting one', async () => {
    const bench = new Workbench()
    const { consumer } = consumerWith((event) => (event.payload === 0 ? bench.handle(event) : push(event)))
    const push = ({ payload }: Event) => void bench.started.push(payload)
    for (let number = 0; number < 4; number++) consumer.deliver(eventOf(number), ACCOUNT)
    expect(bench.started).to.deep.equal([0])
    await bench.finish(0)
    expect(bench.started).to.deep.equal([0, 1, 2, 3])
  })

  for (const [what, handler] of Object.entries({
    throws: throwing(new TypeError('broken')),
    rejects: () => Promise.reject(new TypeError('broken')),
    'returns an object whose `then` throws': () => {
      return Object.defineProperty({}, 'then', {
        get() {
          throw new TypeError('broken')
        },
      })
    },
  })) {
    it(`reports a handler that ${what}, and goes on with the next event`, async () => {
      const { consumer, failures } = consumerWith(handler)
      const receipts = [new CountedReceipt(), new CountedReceipt()]
      for (const receipt of receipts) consumer.take(eventOf(1), receipt)
      await turn()
      expect(failures).to.have.lengthOf(2)
      for (const failure of failures) {
        expect(failure).to.be.instanceOf(HandlerError)
        expect(failure.message).to.equal('a handler of n failed on an event from shop: broken')
        expect(failure.cause).to.be.instanceOf(TypeError)
      }
      expect(receipts.map(({ outcome }) => outcome)).to.deep.equal([HANDLED, HANDLED])
      expect(consumer.load).to.equal(0)
    })
  }

  it('awaits any object with a `then` method', async () => {
    let end = () => {}
    const seen: unknown[] = []
    const thenable = Object.defineProperty({}, 'then', { value: (resolve: () => void) => (end = resolve) })
    const { consumer } = consumerWith(({ payload }) => {
      seen.push(payload)
      return thenable
    })
    consumer.deliver(eventOf(1), ACCOUNT)
    consumer.deliver(eventOf(2), ACCOUNT)
    await turn()
    expect(seen).to.deep.equal([1])
    end()
    await turn()
    expect(seen).to.deep.equal([1, 2])
  })

  describe('when closed', () => {
    it('calls its handler neither for waiting events nor for new ones (G2)', async () => {
      const bench = new Workbench()
      const { consumer } = consumerWith(bench.handle)
      for (let number = 0; number < 3; number++) consumer.deliver(eventOf(number), ACCOUNT)
      consumer.close()
      consumer.deliver(eventOf(3), ACCOUNT)
      await bench.finish(0)
      expect(bench.started).to.deep.equal([0])
      expect(consumer.load).to.equal(0)
    })

    it('calls its handler no more if that closed it', () => {
      const seen: unknown[] = []
      const { consumer } = consumerWith(({ payload }) => {
        seen.push(payload)
        consumer.close()
      })
      for (let number = 0; number < 3; number++) consumer.deliver(eventOf(number), ACCOUNT)
      expect(seen).to.deep.equal([0])
    })
  })

  describe('settles each receipt exactly once:', () => {
    it('as handled for an event handled synchronously', () => {
      const receipt = new CountedReceipt()
      consumerWith(() => {}).consumer.take(eventOf(1), receipt)
      expect(receipt.outcome).to.deep.equal(HANDLED)
    })

    it('as handled for running events and as given back for waiting ones when it is closed', async () => {
      const bench = new Workbench()
      const { consumer } = consumerWith(bench.handle, { concurrency: 2 })
      const receipts = [0, 1, 2, 3].map(() => new CountedReceipt())
      for (const receipt of receipts) consumer.take(eventOf(1), receipt)
      consumer.close()
      const outcomes = () => receipts.map(({ outcome }) => outcome)
      expect(outcomes()).to.deep.equal([[0, 0], [0, 0], GIVEN_BACK, GIVEN_BACK])
      await bench.finish(0)
      await bench.finish(0, true)
      expect(outcomes()).to.deep.equal([HANDLED, HANDLED, GIVEN_BACK, GIVEN_BACK])
    })

    for (const [what, odd] of Object.entries(ODD_PROMISES)) {
      for (const hasClosed of [false, true]) {
        const when = `if the own then of its handler's promise ${what}${hasClosed ? ', and it has called close' : ''}`
        it(`as handled ${when}`, async () => {
          let closeCalls = 0
          const handle = () => {
            if (hasClosed) closeCalls++
            return odd()
          }
          const { consumer, failures } = consumerWith(handle, { closeCalls: () => closeCalls })
          const receipt = new CountedReceipt()
          consumer.deliver(eventOf(1), { hold: () => receipt })
          await turn()
          expect(receipt.outcome).to.deep.equal(HANDLED)
          expect(consumer.load).to.equal(0)
          expect(failures).to.deep.equal([])
        })
      }
    }

    it('as given back for an event that arrives after close', () => {
      const receipt = new CountedReceipt()
      const { consumer } = consumerWith(() => {})
      consumer.close()
      consumer.take(eventOf(1), receipt)
      expect(receipt.outcome).to.deep.equal(GIVEN_BACK)
    })

    it('as handled for the event on which its handler closed it', () => {
      const { consumer } = consumerWith(() => consumer.close())
      const receipts = [new CountedReceipt(), new CountedReceipt()]
      for (const receipt of receipts) consumer.take(eventOf(1), receipt)
      expect(receipts.map(({ outcome }) => outcome)).to.deep.equal([HANDLED, GIVEN_BACK])
    })

    it('in any order of steps', async () => {
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('fast', 'slow', 'throws', 'invalid') },
        { weight: 4, arbitrary: fc.record({ finish: fc.nat(5), fails: fc.boolean() }) },
        { weight: 1, arbitrary: fc.constant('close') },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), expectOneEnd),
        { numRuns: 60 },
      )
    })
  })

  describe('with a schema', () => {
    const schema = z.object({ at: z.string().transform((text) => text.length) })

    it('hands over the transformed payload, and leaves the event unchanged', () => {
      const seen: unknown[] = []
      const { consumer } = consumerWith(({ payload }) => void seen.push(payload), { schema })
      const event = Object.freeze(eventOf(Object.freeze({ at: 'noon' })))
      consumer.deliver(event, ACCOUNT)
      expect(seen).to.deep.equal([{ at: 4 }])
      expect(event.payload).to.deep.equal({ at: 'noon' })
    })

    it('reports a payload that does not fit, and goes on with the next event', () => {
      const seen: unknown[] = []
      const { consumer, failures } = consumerWith(({ payload }) => void seen.push(payload), { schema })
      const receipt = new CountedReceipt()
      consumer.take(eventOf({ at: 7 }), receipt)
      consumer.deliver(eventOf({ at: 'noon' }), ACCOUNT)
      expect(seen).to.deep.equal([{ at: 4 }])
      expect(receipt.outcome).to.deep.equal(HANDLED)
      expect(failures).to.have.lengthOf(1)
      expect(failures[0]).to.be.instanceOf(InvalidPayload)
      expect(failures[0]?.message).to.contain('event n from shop: the payload does not match its schema')
    })

    it('goes on with waiting events after a payload that does not fit', async () => {
      const bench = new Workbench()
      const { consumer, failures } = consumerWith(bench.handle, { schema })
      const receipts = [{ at: 'noon' }, { at: 7 }, { at: 'night' }].map((payload) => {
        const receipt = new CountedReceipt()
        consumer.take(eventOf(payload), receipt)
        return receipt
      })
      await bench.finish(0)
      expect(failures).to.have.lengthOf(1)
      expect(bench.started).to.deep.equal([{ at: 4 }, { at: 5 }])
      await bench.finish(0)
      expect(receipts.map(({ outcome }) => outcome)).to.deep.equal([HANDLED, HANDLED, HANDLED])
    })
  })
})

type Step = string | { readonly finish: number; readonly fails: boolean }

/** Each receipt is settled once: as handled if its handler was called. */
async function expectOneEnd(steps: readonly Step[], concurrency: number): Promise<void> {
  const bench = new Workbench()
  const begun = new Set<unknown>()
  const handler = (event: Event) => {
    begun.add(event.payload)
    const [kind] = String(event.payload).split(' ')
    if (kind === 'throws') throw new Error('broken')
    return kind === 'slow' ? bench.handle(event) : undefined
  }
  const schema = z.string().refine((text) => !text.startsWith('invalid'))
  const { consumer } = consumerWith(handler, { concurrency, schema })
  const receipts = new Map<string, CountedReceipt>()
  for (const step of steps) {
    if (typeof step === 'object') await bench.finish(step.finish, step.fails)
    else if (step === 'close') consumer.close()
    else {
      const receipt = new CountedReceipt()
      const payload = `${step} ${receipts.size}`
      receipts.set(payload, receipt)
      consumer.take(eventOf(payload), receipt)
    }
  }
  consumer.close()
  while (bench.running > 0) await bench.finish(0)
  for (const [payload, { outcome }] of receipts) {
    if (begun.has(payload)) expect(outcome, payload).to.deep.equal(HANDLED)
    else if (payload.startsWith('invalid')) expect(outcome).to.be.deep.oneOf([HANDLED, GIVEN_BACK])
    else expect(outcome, payload).to.deep.equal(GIVEN_BACK)
  }
}
