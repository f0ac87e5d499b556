import { expect } from 'chai'
import fc from 'fast-check'
import { keysIn } from '../../src/wire/runs'
import { numbers } from '../support/members'

describe('Runs of numbers', () => {
  it('have the keys that are in one of them, each once', () => {
    const runs = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 8 })
    fc.assert(
      fc.property(runs, fc.uniqueArray(fc.nat(40)), (pairs, keys) => {
        const map = new Map(keys.map((key) => [key, true]))
        const found: number[] = []
        for (const key of keysIn(pairs.flat(), map)) {
          found.push(key)
          map.delete(key)
        }
        const isIn = (key: number) => pairs.some(([first, count]) => key >= first && key < first + count)
        expect(found).to.have.members(keys.filter(isIn))
      }),
    )
  })

  it('look at each key once, however many of them are longer than there are keys', () => {
    let looks = 0
    class Counting extends Map<number, unknown> {
      override *keys() {
        for (const key of super.keys()) {
          looks++
          yield key
        }
        return undefined
      }
    }
    const map = new Counting(numbers(1000).map((key) => [key, true]))
    const runs = numbers(1000).flatMap((first) => [5000 + first, 1_000_000])
    expect([...keysIn(runs, map)]).to.be.empty
    expect(looks).to.be.below(1001)
  })
})
