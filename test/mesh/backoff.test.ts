import { expect } from 'chai'
import fc from 'fast-check'
import { nextAttempt, redialDelay } from '../../src/mesh/backoff'

const LIMITS = { redialMin: 50, redialMax: 5000 }

describe('redialDelay', () => {
  it('draws from a span that begins at redialMin, doubles with each failure and ends at redialMax', () => {
    const spans = [0, 1, 2, 6, 7, 8, 2000].map((failures) => redialDelay(failures, LIMITS, 1))
    expect(spans).to.deep.equal([50, 100, 200, 3200, 5000, 5000, 5000])
  })

  it('is anywhere between zero and the whole span', () => {
    expect([0, 0.25, 0.5].map((random) => redialDelay(2, LIMITS, random))).to.deep.equal([0, 50, 100])
  })

  it('is never over redialMax, however small that is', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.nat(100),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (min, max, failures, r) => {
          expect(redialDelay(failures, { redialMin: min, redialMax: max }, r)).to.be.within(0, max)
        },
      ),
    )
  })
})

describe('nextAttempt', () => {
  it('counts a failure that may be temporary and draws a delay for it', () => {
    expect(nextAttempt(3, false, LIMITS, () => 0.5)).to.deep.equal({ delay: 200, failures: 4, isHopeless: false })
  })

  it('waits as long as possible after a failure that will last, and draws nothing', () => {
    const draw = () => expect.fail('drew a random number')
    expect(nextAttempt(3, true, LIMITS, draw)).to.deep.equal({ delay: 5000, failures: 3, isHopeless: true })
  })
})
