import { expect } from 'chai'
import fc from 'fast-check'
import { END } from '../../../bench/workers/sequence-checker'
import { faultsOf, Share, ShareChecker } from '../../../bench/workers/share-checker'

const EVENTS = 21
const WARM_UP = 5

function checked(sequences: readonly number[]): ShareChecker {
  const checker = new ShareChecker(EVENTS, WARM_UP, () => {})
  for (const sequence of sequences) checker.add(sequence)
  return checker
}

describe('ShareChecker', () => {
  it('counts the measured events, each once, and those that arrive twice', () => {
    const checker = checked([0, 4, 5, 9, 20, 9])
    expect(checker.arrived).to.equal(3)
    expect(checker.faults).to.deep.equal({ lost: 0, outOfOrder: 0, duplicates: 1 })
  })

  it('calls back at the end mark, and refuses an event that was never sent', () => {
    let ends = 0
    const checker = new ShareChecker(EVENTS, WARM_UP, () => ends++)
    checker.add(END)
    expect(ends).to.equal(1)
    for (const sequence of [EVENTS, -1, 0.5]) expect(() => checker.add(sequence)).to.throw(RangeError)
  })

  it('finds what is lost and what came to several members, as a naive count does', () => {
    const shares = fc.array(fc.array(fc.nat(EVENTS - 1)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(shares, (received) => {
        const parsed = received.map((sequences) => Share.parse(EVENTS, checked(sequences).share))
        const holders = received.flatMap((sequences) => [...new Set(sequences)])
        const union = new Set(holders)
        const expected = { lost: EVENTS - union.size, duplicates: holders.length - union.size }
        expect(faultsOf(parsed, EVENTS)).to.deep.equal(expected)
      }),
    )
  })
})
