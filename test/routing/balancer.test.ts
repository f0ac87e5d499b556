import { expect } from 'chai'
import fc from 'fast-check'
import { Balancer } from '../../src/routing/balancer'
import { heapUsed } from '../support/garbage'

const longName = (count: number) => `${count}.`.padEnd(200, 'x')

describe('Balancer', () => {
  it('always picks one of the least loaded items', () => {
    const loads = fc.array(fc.nat(3), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(loads, { maxLength: 20 }), (rounds) => {
        const balancer = new Balancer()
        for (const loads of rounds) {
          const items = loads.map((load, index) => ({ load, index }))
          const picked = balancer.pick(items, ({ load }) => load)
          if (items.length === 0) expect(picked).to.equal(undefined)
          else expect(picked?.load).to.equal(Math.min(...loads))
        }
      }),
    )
  })

  it('picks equally loaded items equally often', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), (count, rounds) => {
        const balancer = new Balancer()
        const items = Array.from({ length: count }, (_, index) => index)
        const picks = new Map<number | undefined, number>()
        for (let time = 0; time < count * rounds; time++) {
          const picked = balancer.pick(items, () => 1)
          picks.set(picked, (picks.get(picked) ?? 0) + 1)
        }
        expect([...picks.keys()].sort()).to.deep.equal(items)
        expect(new Set(picks.values())).to.deep.equal(new Set([rounds]))
      }),
    )
  })

  it('picks an item even if all loads are infinite', () => {
    expect(new Balancer().pick(['a', 'b'], () => Number.POSITIVE_INFINITY)).to.be.oneOf(['a', 'b'])
    expect(new Balancer().pick(['a', 'b'], () => Number.MAX_VALUE)).to.be.oneOf(['a', 'b'])
  })

  it('keeps no turns for names that nobody uses (G7)', () => {
    const balancer = new Balancer()
    const picked = ['a']
    const before = heapUsed()
    for (let count = 0; count < 100_000; count++) balancer.pick(picked.slice(count % 2), () => 0, longName(count))
    expect(heapUsed() - before).to.be.below(512 * 1024)
    expect(balancer.pick(['a', 'b'], () => 0)).to.equal('b')
  })

  it('keeps the turns of a bounded number of names (G7)', () => {
    const balancer = new Balancer()
    const before = heapUsed()
    for (let count = 0; count < 100_000; count++) balancer.pick(['a', 'b'], () => 0, longName(count))
    expect(heapUsed() - before).to.be.below(8 * 1024 * 1024)
    expect(balancer.pick(['a', 'b'], () => 0)).to.equal('b')
  })

  it('continues with fewer items than before', () => {
    const balancer = new Balancer()
    for (let time = 0; time < 5; time++) balancer.pick(['a', 'b', 'c', 'd', 'e'], () => 0)
    expect(balancer.pick([], () => 0)).to.equal(undefined)
    expect([balancer.pick(['a', 'b'], () => 0), balancer.pick(['a', 'b'], () => 0)].sort()).to.deep.equal(['a', 'b'])
  })
})
