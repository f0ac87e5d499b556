import { expect } from 'chai'
import fc from 'fast-check'
import { keysIn, type RunLengths, Runs } from '../../src/wire/runs'

/** All numbers in the runs. */
function numbersIn(lengths: RunLengths): number[] {
  const numbers: number[] = []
  for (let index = 0; index < lengths.length; index += 2) {
    for (let offset = 0; offset < (lengths[index + 1] ?? 0); offset++) numbers.push((lengths[index] ?? 0) + offset)
  }
  return numbers
}

const mapOf = (numbers: readonly number[]) => new Map(numbers.map((number) => [number, undefined]))

describe('Runs', () => {
  it('joins numbers that follow each other', () => {
    const runs = new Runs()
    for (const number of [3, 4, 5, 9]) runs.add(number)
    expect(runs.take(10)).to.deep.equal([3, 3, 9, 1])
  })

  it('has none at first, and none once all are taken', () => {
    const runs = new Runs()
    expect(runs.isEmpty).to.equal(true)
    expect(runs.take(1)).to.deep.equal([])
    runs.add(1)
    expect(runs.isEmpty).to.equal(false)
    runs.take(1)
    expect(runs.isEmpty).to.equal(true)
  })

  it('begins a new run once the one before has been taken', () => {
    const runs = new Runs()
    runs.add(1)
    runs.take(1)
    runs.add(2)
    expect(runs.take(1)).to.deep.equal([2, 1])
  })

  it('keeps every number in its order, and takes at most as many runs as are wanted', () => {
    const steps = fc.array(fc.oneof(fc.nat(20), fc.record({ take: fc.integer({ min: 1, max: 4 }) })), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (steps) => {
        const runs = new Runs()
        const added: number[] = []
        const taken: number[] = []
        for (const step of [...steps, { take: steps.length }]) {
          if (typeof step === 'number') {
            runs.add(step)
            added.push(step)
            continue
          }
          const lengths = runs.take(step.take)
          expect(lengths.length).to.be.at.most(2 * step.take)
          taken.push(...numbersIn(lengths))
        }
        expect(taken).to.deep.equal(added)
        expect(runs.isEmpty).to.equal(true)
      }),
    )
  })
})

describe('the keys of a map in runs', () => {
  it('are those that the runs contain', () => {
    const lengths = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 5 }).map((pairs) => pairs.flat())
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60), { maxLength: 30 }), lengths, (numbers, lengths) => {
        const contained = new Set(numbersIn(lengths))
        expect(new Set(keysIn(lengths, mapOf(numbers)))).to.deep.equal(
          new Set(numbers.filter((number) => contained.has(number))),
        )
      }),
    )
  })

  it('may be deleted while they are read', () => {
    for (const lengths of [
      [1, 3],
      [1, 1000],
      [1, 1, 2, 2],
    ]) {
      const map = mapOf([1, 2, 3])
      for (const key of keysIn(lengths, map)) map.delete(key)
      expect([...map.keys()], String(lengths)).to.deep.equal([])
    }
  })

  it('are found at once in the longest run of the largest numbers', () => {
    const most = Number.MAX_SAFE_INTEGER
    expect([...keysIn([0, most], mapOf([1, 2, most - 1]))]).to.deep.equal([1, 2, most - 1])
    for (const count of [1, 2, 3, 4, 5]) {
      expect([...keysIn([most, count], mapOf([1, 2, 3, 4, most]))], `${count}`).to.deep.equal([most])
    }
  })
})
