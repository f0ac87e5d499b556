import { expect } from 'chai'
import fc from 'fast-check'
import { END, Tally } from '../../../bench/workers/sequence-checker'

const EVENTS = 20

function tallied(sequences: readonly number[]): Tally {
  const tally = new Tally(EVENTS, () => {})
  for (const sequence of sequences) tally.add(sequence)
  return tally
}

const all = Array.from({ length: EVENTS }, (_, sequence) => sequence)

describe('Tally', () => {
  it('finds no fault with events that all come in order', () => {
    const tally = tallied(all)
    expect(tally.arrived).to.equal(EVENTS)
    expect(tally.faults).to.deep.equal({ lost: 0, outOfOrder: 0, duplicates: 0 })
  })

  it('counts an event that is lost, at the beginning, in the middle or at the end', () => {
    for (const missing of [0, 7, EVENTS - 1]) {
      const { arrived, faults } = tallied(all.filter((sequence) => sequence !== missing))
      expect({ arrived, ...faults }).to.deep.equal({ arrived: EVENTS - 1, lost: 1, outOfOrder: 0, duplicates: 0 })
    }
  })

  it('counts one that comes twice, at once or later', () => {
    expect(tallied([...all.slice(0, 8), 7, ...all.slice(8)]).faults).to.include({ lost: 0, duplicates: 1 })
    expect(tallied([...all, 0]).faults).to.include({ lost: 0, duplicates: 1 })
  })

  it('counts one that another has overtaken as out of order, and not as lost', () => {
    const tally = tallied([1, 0, ...all.slice(2)])
    expect(tally.arrived).to.equal(EVENTS)
    expect(tally.faults).to.deep.equal({ lost: 0, outOfOrder: 1, duplicates: 0 })
  })

  it('agrees with a count by hand, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(EVENTS - 1)), (sequences) => {
        const { arrived, faults } = tallied(sequences)
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

  it('tells of the mark behind the last, which is no event', () => {
    let ends = 0
    const tally = new Tally(EVENTS, () => ends++)
    for (const sequence of [...all.slice(1), END]) tally.add(sequence)
    expect(ends).to.equal(1)
    expect(tally.faults.lost).to.equal(1)
  })

  it('refuses what was never sent', () => {
    for (const sequence of [EVENTS + 1, -1, 0.5, Number.NaN]) {
      expect(() => tallied([sequence])).to.throw(RangeError, `expected an event under ${EVENTS}, got ${sequence}`)
    }
  })
})
