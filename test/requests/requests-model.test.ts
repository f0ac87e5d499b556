import fc from 'fast-check'
import { RequestsModel } from '../support/requests-model'

describe('PendingRequests, in random histories,', () => {
  it('settles each request exactly once, in any order of events (G11)', () => {
    const number = fc.nat(20)
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(fc.constant('ask'), fc.nat(7)) },
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom('response', 'failure', 'decline', 'giveUp'), number) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('toggle', 'end'), number) },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const model = new RequestsModel(3, limit)
        for (const [action, number] of steps) {
          if (action === 'response' || action === 'failure' || action === 'decline') model.answer(number, action)
          else if (action === 'ask' || action === 'giveUp' || action === 'toggle' || action === 'end') {
            model[action](number)
          }
          model.check()
        }
        model.finish()
      }),
      { numRuns: 400 },
    )
  })
})
