import { expect } from 'chai'
import fc from 'fast-check'
import { Router } from '../src/router'

describe('Router', () => {
  it('selects who has asked for a type and not taken it back, in the order of asking', () => {
    const step = fc.record({
      adds: fc.boolean(),
      type: fc.constantFrom('a', 'b', 'constructor', '__proto__'),
      target: fc.nat(4),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const router = new Router<number>()
        const expected = new Map<string, Set<number>>()
        for (const { adds, type, target } of steps) {
          const targets = expected.get(type) ?? new Set()
          if (adds) {
            router.add(type, target)
            targets.add(target)
          } else {
            router.remove(type, target)
            targets.delete(target)
          }
          if (targets.size > 0) expected.set(type, targets)
          else expected.delete(type)
          for (const [wanted, those] of expected) expect(router.select(wanted)).to.deep.equal([...those])
          expect([...router.types()].sort()).to.deep.equal([...expected.keys()].sort())
        }
        for (const type of ['a', 'b', 'constructor', '__proto__', 'toString']) {
          expect(router.select(type)).to.deep.equal([...(expected.get(type) ?? [])])
        }
      }),
    )
  })

  it('selects nobody for a type that nobody has asked for', () => {
    expect(new Router().select('a')).to.deep.equal([])
    expect(new Router().types()).to.deep.equal([])
  })

  it('gives a list that stays as it is while targets come and go', () => {
    const router = new Router<string>()
    router.add('a', 'one')
    router.add('a', 'two')
    const list = router.select('a')
    const walked: string[] = []
    for (const target of list) {
      walked.push(target)
      router.remove('a', 'two')
      router.add('a', 'three')
    }
    expect(walked).to.deep.equal(['one', 'two'])
    expect(router.select('a')).to.deep.equal(['one', 'three'])
  })

  it('tells targets apart by who they are, not by what they look like', () => {
    const router = new Router<object>()
    const [one, other] = [{ name: 'same' }, { name: 'same' }]
    router.add('a', one)
    router.add('a', other)
    router.remove('a', one)
    expect(router.select('a')).to.have.lengthOf(1)
    expect(router.select('a')[0]).to.equal(other)
  })
})
