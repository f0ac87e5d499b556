import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { HandlerError, InvalidPayload } from '../../src/model/errors'
import type { Event } from '../../src/model/event'
import { eventOf, subscriptionWith } from '../support/subscription-bench'
import { unhandledDuring } from '../support/unhandled'
import { CountedReceipt, turn, Workbench } from '../support/workbench'

/** An account that nobody looks at. */
const ACCOUNT = { hold: () => new CountedReceipt() }

const HANDLED: [number, number] = [1, 0]
const GIVEN_BACK: [number, number] = [0, 1]

describe('Subscription', () => {
  it('calls its handler at once, with the event', () => {
    const seen: Event[] = []
    const { subscription } = subscriptionWith((event) => void seen.push(event))
    subscription.deliver(eventOf(1), ACCOUNT)
    subscription.deliver(eventOf(2), ACCOUNT)
    expect(seen).to.deep.equal([eventOf(1), eventOf(2)])
    expect(subscription.load).to.equal(0)
  })

  it('tells its type and interest, and that it is over, once', () => {
    const interest = { type: 'a.*', from: ['shop'], queue: 'q' }
    const { subscription, ends } = subscriptionWith(() => {}, { interest })
    expect(subscription).to.include({ type: 'a.*', interest })
    subscription.unsubscribe()
    subscription.unsubscribe()
    subscription[Symbol.dispose]()
    expect(ends).to.deep.equal(['unsubscribed'])
  })

  it('asks whether it is known when somebody wants to know, and once', async () => {
    let asked = 0
    const known = async () => void asked++
    const { subscription } = subscriptionWith(() => {}, { known })
    await turn()
    expect(asked).to.equal(0)
    await Promise.all([subscription.ready, subscription.ready])
    expect(asked).to.equal(1)
  })

  it('is ready when it is told so; that it never will be hurts nobody who does not wait for it', async () => {
    const { subscription } = subscriptionWith(() => {}, { known: () => Promise.reject(new Error('closed')) })
    expect(await unhandledDuring(() => void subscription.ready)).to.deep.equal([])
    expect(await subscription.ready.catch((error) => error)).to.have.property('message', 'closed')
  })

  for (const concurrency of [1, 3, Number.POSITIVE_INFINITY]) {
    it(`begins events in their order, and has ${concurrency} under way at most`, async () => {
      const step = fc.oneof(fc.constant('deliver'), fc.record({ finish: fc.nat(10), fails: fc.boolean() }))
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const bench = new Workbench()
          const { subscription } = subscriptionWith(bench.handle, { concurrency })
          let [delivered, underWay] = [0, 0]
          for (const step of steps) {
            if (typeof step === 'string') {
              subscription.deliver(eventOf(delivered++), ACCOUNT)
              underWay++
            } else {
              if (bench.running > 0) underWay--
              await bench.finish(step.finish, step.fails)
            }
            expect(bench.running).to.equal(Math.min(underWay, concurrency))
            expect(subscription.load).to.equal(underWay)
          }
          while (bench.running > 0) await bench.finish(0)
          expect(bench.started).to.deep.equal([...Array(delivered).keys()])
          expect(subscription.load).to.equal(0)
        }),
        { numRuns: 60 },
      )
    })
  }

  it('does not let an event that needs no wait overtake those that wait', async () => {
    const bench = new Workbench()
    const { subscription } = subscriptionWith((event) => (event.payload === 0 ? bench.handle(event) : push(event)))
    const push = ({ payload }: Event) => void bench.started.push(payload)
    for (let number = 0; number < 4; number++) subscription.deliver(eventOf(number), ACCOUNT)
    expect(bench.started).to.deep.equal([0])
    await bench.finish(0)
    expect(bench.started).to.deep.equal([0, 1, 2, 3])
  })

  for (const [what, handler] of Object.entries({
    throws: () => {
      throw new TypeError('broken')
    },
    rejects: () => Promise.reject(new TypeError('broken')),
    'answers with something whose `then` throws': () => {
      return Object.defineProperty({}, 'then', {
        get() {
          throw new TypeError('broken')
        },
      })
    },
  })) {
    it(`reports a handler that ${what}, and goes on with the next event`, async () => {
      const { subscription, failures } = subscriptionWith(handler)
      const receipts = [new CountedReceipt(), new CountedReceipt()]
      for (const receipt of receipts) subscription.take(eventOf(1), receipt)
      await turn()
      expect(failures).to.have.lengthOf(2)
      for (const failure of failures) {
        expect(failure).to.be.instanceOf(HandlerError)
        expect(failure.message).to.equal('a handler of n failed on an event from shop: broken')
        expect(failure.cause).to.be.instanceOf(TypeError)
      }
      expect(receipts.map(({ outcome }) => outcome)).to.deep.equal([HANDLED, HANDLED])
      expect(subscription.load).to.equal(0)
    })
  }

  it('waits for anything that has a `then`', async () => {
    let end = () => {}
    const seen: unknown[] = []
    const thenable = Object.defineProperty({}, 'then', { value: (resolve: () => void) => (end = resolve) })
    const { subscription } = subscriptionWith(({ payload }) => {
      seen.push(payload)
      return thenable
    })
    subscription.deliver(eventOf(1), ACCOUNT)
    subscription.deliver(eventOf(2), ACCOUNT)
    await turn()
    expect(seen).to.deep.equal([1])
    end()
    await turn()
    expect(seen).to.deep.equal([1, 2])
  })

  describe('that is over', () => {
    it('calls its handler no more, neither for what comes nor for what waits (G2)', async () => {
      const bench = new Workbench()
      const { subscription } = subscriptionWith(bench.handle)
      for (let number = 0; number < 3; number++) subscription.deliver(eventOf(number), ACCOUNT)
      subscription.unsubscribe()
      subscription.deliver(eventOf(3), ACCOUNT)
      await bench.finish(0)
      expect(bench.started).to.deep.equal([0])
      expect(subscription.load).to.equal(0)
    })

    it('calls its handler no more even where that one has ended it itself', () => {
      const seen: unknown[] = []
      const { subscription } = subscriptionWith(({ payload }) => {
        seen.push(payload)
        subscription.unsubscribe()
      })
      for (let number = 0; number < 3; number++) subscription.deliver(eventOf(number), ACCOUNT)
      expect(seen).to.deep.equal([0])
    })
  })

  describe('gives back or reports as handled, each receipt once,', () => {
    it('what it has handled at once', () => {
      const receipt = new CountedReceipt()
      subscriptionWith(() => {}).subscription.take(eventOf(1), receipt)
      expect(receipt.outcome).to.deep.equal(HANDLED)
    })

    it('what it has begun when it is over, and what waits', async () => {
      const bench = new Workbench()
      const { subscription } = subscriptionWith(bench.handle, { concurrency: 2 })
      const receipts = [0, 1, 2, 3].map(() => new CountedReceipt())
      for (const receipt of receipts) subscription.take(eventOf(1), receipt)
      subscription.unsubscribe()
      const outcomes = () => receipts.map(({ outcome }) => outcome)
      expect(outcomes()).to.deep.equal([[0, 0], [0, 0], GIVEN_BACK, GIVEN_BACK])
      await bench.finish(0)
      await bench.finish(0, true)
      expect(outcomes()).to.deep.equal([HANDLED, HANDLED, GIVEN_BACK, GIVEN_BACK])
    })

    it('what comes when it is over', () => {
      const receipt = new CountedReceipt()
      const { subscription } = subscriptionWith(() => {})
      subscription.unsubscribe()
      subscription.take(eventOf(1), receipt)
      expect(receipt.outcome).to.deep.equal(GIVEN_BACK)
    })

    it('what its handler has ended it on', () => {
      const { subscription } = subscriptionWith(() => subscription.unsubscribe())
      const receipts = [new CountedReceipt(), new CountedReceipt()]
      for (const receipt of receipts) subscription.take(eventOf(1), receipt)
      expect(receipts.map(({ outcome }) => outcome)).to.deep.equal([HANDLED, GIVEN_BACK])
    })

    it('whatever happens in whatever order', async () => {
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('fast', 'slow', 'throws', 'invalid') },
        { weight: 4, arbitrary: fc.record({ finish: fc.nat(5), fails: fc.boolean() }) },
        { weight: 1, arbitrary: fc.constant('unsubscribe') },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), expectOneEnd),
        { numRuns: 60 },
      )
    })
  })

  describe('with a schema', () => {
    const schema = z.object({ at: z.string().transform((text) => text.length) })

    it('hands over what the schema makes of a payload, and leaves the event as it was', () => {
      const seen: unknown[] = []
      const { subscription } = subscriptionWith(({ payload }) => void seen.push(payload), { schema })
      const event = Object.freeze(eventOf(Object.freeze({ at: 'noon' })))
      subscription.deliver(event, ACCOUNT)
      expect(seen).to.deep.equal([{ at: 4 }])
      expect(event.payload).to.deep.equal({ at: 'noon' })
    })

    it('hands over nothing that does not fit, reports it, and goes on', () => {
      const seen: unknown[] = []
      const { subscription, failures } = subscriptionWith(({ payload }) => void seen.push(payload), { schema })
      const receipt = new CountedReceipt()
      subscription.take(eventOf({ at: 7 }), receipt)
      subscription.deliver(eventOf({ at: 'noon' }), ACCOUNT)
      expect(seen).to.deep.equal([{ at: 4 }])
      expect(receipt.outcome).to.deep.equal(HANDLED)
      expect(failures).to.have.lengthOf(1)
      expect(failures[0]).to.be.instanceOf(InvalidPayload)
      expect(failures[0]?.message).to.contain('event n from shop: the payload does not match its schema')
    })

    it('goes on behind what does not fit also where events wait', async () => {
      const bench = new Workbench()
      const { subscription, failures } = subscriptionWith(bench.handle, { schema })
      const receipts = [{ at: 'noon' }, { at: 7 }, { at: 'night' }].map((payload) => {
        const receipt = new CountedReceipt()
        subscription.take(eventOf(payload), receipt)
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

/** Each receipt comes to one end, and to which one is decided by whether its handler had begun. */
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
  const { subscription } = subscriptionWith(handler, { concurrency, schema })
  const receipts = new Map<string, CountedReceipt>()
  for (const step of steps) {
    if (typeof step === 'object') await bench.finish(step.finish, step.fails)
    else if (step === 'unsubscribe') subscription.unsubscribe()
    else {
      const receipt = new CountedReceipt()
      const payload = `${step} ${receipts.size}`
      receipts.set(payload, receipt)
      subscription.take(eventOf(payload), receipt)
    }
  }
  subscription.unsubscribe()
  while (bench.running > 0) await bench.finish(0)
  for (const [payload, { outcome }] of receipts) {
    if (begun.has(payload)) expect(outcome, payload).to.deep.equal(HANDLED)
    else if (payload.startsWith('invalid')) expect(outcome).to.be.deep.oneOf([HANDLED, GIVEN_BACK])
    else expect(outcome, payload).to.deep.equal(GIVEN_BACK)
  }
}
