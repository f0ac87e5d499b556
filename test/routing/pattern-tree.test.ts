import { expect } from 'chai'
import fc from 'fast-check'
import { matches } from '../../src/model/pattern'
import { PatternTree } from '../../src/routing/pattern-tree'
import { heapUsed } from '../support/heap-used'

const TOKENS = ['a', 'b', 'constructor', '__proto__']
const token = fc.constantFrom(...TOKENS)
const type = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 2 }), fc.oneof(token, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'))

/** Every name that the tokens make, with up to three of them. */
const ALL_TYPES = TOKENS.flatMap((one) => [
  one,
  ...TOKENS.flatMap((two) => [`${one}.${two}`, ...TOKENS.map((three) => `${one}.${two}.${three}`)]),
])

/** A router whose routes are the targets, and what has been derived so far. */
function routerOf<Target>() {
  const derived: string[] = []
  const router = new PatternTree<Target, readonly Target[]>((targets, type) => {
    derived.push(type)
    return targets
  })
  return { router, derived }
}

describe('Router', () => {
  it('selects everyone whose patterns match, once, whatever was looked up, added and removed before', () => {
    const step = fc.oneof(
      fc.record({ action: fc.constantFrom('add', 'remove'), pattern, target: fc.nat(4) }),
      fc.record({ action: fc.constant('select'), type }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { router } = routerOf<number>()
        const asked = new Map<string, Set<number>>()
        const check = (type: string) => {
          const wanted = [...asked].flatMap(([pattern, targets]) => (matches(pattern, type) ? [...targets] : []))
          expect([...router.select(type)].sort(), type).to.deep.equal([...new Set(wanted)].sort())
        }
        for (const step of steps) {
          if ('type' in step) {
            check(step.type)
            continue
          }
          const targets = asked.get(step.pattern) ?? new Set()
          asked.set(step.pattern, targets)
          if (step.action === 'add') {
            router.add(step.pattern, step.target)
            targets.add(step.target)
          } else {
            router.remove(step.pattern, step.target)
            targets.delete(step.target)
          }
        }
        for (const type of ALL_TYPES) check(type)
      }),
      { numRuns: 300 },
    )
  })

  it('selects nobody for a type that nobody has asked for', () => {
    expect(routerOf().router.select('a')).to.deep.equal([])
  })

  it('makes a route once for each type, until somebody asks for a pattern that may match it, or gives one up', () => {
    const { router, derived } = routerOf<string>()
    const select = () => {
      router.select('a.b')
      router.select('c')
      return derived.splice(0)
    }
    expect(select()).to.deep.equal(['a.b', 'c'])
    expect(select()).to.deep.equal([])
    router.add('a.b', 'one')
    expect(select()).to.deep.equal(['a.b'])
    router.add('a.*', 'one')
    expect(select()).to.include('a.b')
    router.remove('a.*', 'one')
    expect(select()).to.include('a.b')
    router.remove('a.b', 'one')
    expect(select()).to.deep.equal(['a.b'])
    expect(select()).to.deep.equal([])
  })

  it('remembers also that a type leads nowhere', () => {
    let derived = 0
    const router = new PatternTree<string, boolean>((targets) => {
      derived++
      return targets.length > 0
    })
    for (let time = 0; time < 3; time++) expect(router.select('a')).to.equal(false)
    expect(derived).to.equal(1)
    router.add('>', 'one')
    expect(router.select('a')).to.equal(true)
  })

  it('remembers no more types than there is room for, however many are made up', () => {
    const { router, derived } = routerOf<string>()
    router.add('made-up.*', 'one')
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 11_000; index++) {
        expect(router.select(`made-up.${index}`)).to.deep.equal(['one'])
      }
    }
    expect(derived.length).to.be.greaterThan(11_000)
  })

  it('keeps nothing of patterns that have been given up', () => {
    const { router } = routerOf<string>()
    const before = heapUsed()
    for (let index = 0; index < 30_000; index++) {
      router.add(`a.${index}.b.*`, 'one')
      router.remove(`a.${index}.b.*`, 'one')
    }
    expect(heapUsed() - before).to.be.below(4 * 1024 * 1024)
    router.add('a.1.b', 'one')
    expect(router.select('a.1.b')).to.deep.equal(['one'])
  })

  it('keeps what lies above, below and beside a pattern that is given up', () => {
    const { router } = routerOf<string>()
    for (const pattern of ['a', 'a.b', 'a.b.c', 'a.d', 'a.*', 'a.>']) router.add(pattern, pattern)
    router.remove('a.b', 'a.b')
    router.remove('a.b', 'a.b')
    router.remove('a.b.x', 'never')
    router.remove('x', 'never')
    expect(router.select('a')).to.deep.equal(['a'])
    expect(router.select('a.b')).to.have.members(['a.*', 'a.>'])
    expect(router.select('a.b.c')).to.have.members(['a.b.c', 'a.>'])
    expect(router.select('a.d')).to.have.members(['a.d', 'a.*', 'a.>'])
  })

  it('gives a route that stays as it is while targets come and go', () => {
    const { router } = routerOf<string>()
    router.add('a', 'one')
    router.add('a', 'two')
    const walked: string[] = []
    for (const target of router.select('a')) {
      walked.push(target)
      router.remove('a', 'two')
      router.add('a', 'three')
    }
    expect(walked).to.deep.equal(['one', 'two'])
    expect(router.select('a')).to.deep.equal(['one', 'three'])
  })

  it('tells targets apart by who they are, not by what they look like', () => {
    const { router } = routerOf<object>()
    const [one, other] = [{ name: 'same' }, { name: 'same' }]
    router.add('a', one)
    router.add('a', other)
    router.remove('a', one)
    expect(router.select('a')).to.have.lengthOf(1)
    expect(router.select('a')[0]).to.equal(other)
  })
})
