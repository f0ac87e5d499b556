import { expect } from 'chai'
import fc from 'fast-check'
import { END, SequenceChecker } from '../../../bench/workers/sequence-checker'

const EVENTS = 20

function checked(sequences: readonly number[]): SequenceChecker {
  const checker = new SequenceChecker(EVENTS, () => {})
  for (const sequence of sequences) checker.add(sequence)
  return checker
}

const all = Array.from({ length: EVENTS }, (_, sequence) => sequence)

describe('SequenceChecker', () => {
  it('finds no fault when all events arrive in order', () => {
    const checker = checked(all)
    expect(checker.arrived).to.equal(EVENTS)
    expect(checker.faults).to.deep.equal({ lost: 0, outOfOrder: 0, duplicates: 0 })
  })

  it('counts a lost event at the beginning, in the middle or at the end', () => {
    for (const missing of [0, 7, EVENTS - 1]) {
      const { arrived, faults } = checked(all.filter((sequence) => sequence !== missing))
      expect({ arrived, ...faults }).to.deep.equal({ arrived: EVENTS - 1, lost: 1, outOfOrder: 0, duplicates: 0 })
    }
  })

  it('counts an event that arrives twice as a duplicate, at once or later', () => {
    expect(checked([...all.slice(0, 8), 7, ...all.slice(8)]).faults).to.include({ lost: 0, duplicates: 1 })
    expect(checked([...all, 0]).faults).to.include({ lost: 0, duplicates: 1 })
  })

  it('counts an event that another one overtakes as out of order, not as lost', () => {
    const checker = checked([1, 0, ...all.slice(2)])
    expect(checker.arrived).to.equal(EVENTS)
    expect(checker.faults).to.deep.equal({ lost: 0, outOfOrder: 1, duplicates: 0 })
  })

  it('agrees with a naive count for every sequence of arrivals', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(EVENTS - 1)), (sequences) => {
        const { arrived, faults } = checked(sequences)
        const distinct = new Set(sequences)
        expect(arrived).to.equal(distinct.size)
        expect(faults.lost).to.equal(EVENTS - distinct.size)
        expect(faults.duplicates).to.equal(sequences.length - distinct.size)
        const firsts = sequences.filter((sequence, index) => sequences.indexOf(sequence) === index)
        const late = firsts.filter((sequence, index) => firsts.slice(0, index).some((earlier) => earlier > sequence))
        expect(faults.outOfOrder).to.equal(late.length)
      }),
    )
  })

  it('reports the end mark and does not count it as an event', () => {
    let ends = 0
    const checker = new SequenceChecker(EVENTS, () => ends++)
    for (const sequence of [...all.slice(1), END]) checker.add(sequence)
    expect(ends).to.equal(1)
    expect(checker.faults.lost).to.equal(1)
  })

  it('rejects sequence numbers that were never sent', () => {
    for (const sequence of [EVENTS + 1, -1, 0.5, Number.NaN]) {
      expect(() => checked([sequence])).to.throw(RangeError, `expected an event under ${EVENTS}, got ${sequence}`)
    }
  })
})
