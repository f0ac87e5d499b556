import { expect } from 'chai'
import fc from 'fast-check'
import { matches } from '../../src/model/pattern'
import { PatternTree } from '../../src/routing/pattern-tree'
import { heapUsed } from '../support/garbage'

const TOKENS = ['a', 'b', 'constructor', '__proto__']
const token = fc.constantFrom(...TOKENS)
const type = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 2 }), fc.oneof(token, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'))

/** Every type name of up to three of the tokens. */
const ALL_TYPES = TOKENS.flatMap((one) => [
  one,
  ...TOKENS.flatMap((two) => [`${one}.${two}`, ...TOKENS.map((three) => `${one}.${two}.${three}`)]),
])

/** A tree whose routes are its targets, and the types whose routes were derived. */
function treeOf<Target>() {
  const derived: string[] = []
  const tree = new PatternTree<Target, readonly Target[]>((targets, type) => {
    derived.push(type)
    return targets
  })
  return { tree, derived }
}

describe('PatternTree', () => {
  it('selects each target with a matching pattern once, after any sequence of additions, removals and look-ups', () => {
    const step = fc.oneof(
      fc.record({ action: fc.constantFrom('add', 'remove'), pattern, target: fc.nat(4) }),
      fc.record({ action: fc.constant('select'), type }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { tree } = treeOf<number>()
        const added = new Map<string, Set<number>>()
        const check = (type: string) => {
          const expected = [...added].flatMap(([pattern, targets]) => (matches(pattern, type) ? [...targets] : []))
          expect([...tree.select(type)].sort(), type).to.deep.equal([...new Set(expected)].sort())
        }
        for (const step of steps) {
          if ('type' in step) {
            check(step.type)
            continue
          }
          const targets = added.get(step.pattern) ?? new Set()
          added.set(step.pattern, targets)
          if (step.action === 'add') {
            tree.add(step.pattern, step.target)
            targets.add(step.target)
          } else {
            tree.remove(step.pattern, step.target)
            targets.delete(step.target)
          }
        }
        for (const type of ALL_TYPES) check(type)
      }),
      { numRuns: 300 },
    )
  })

  it('selects no target for a type that matches no pattern', () => {
    expect(treeOf().tree.select('a')).to.deep.equal([])
  })

  it('derives a route once per type, until a pattern that may match it is added or removed', () => {
    const { tree, derived } = treeOf<string>()
    const select = () => {
      tree.select('a.b')
      tree.select('c')
      return derived.splice(0)
    }
    expect(select()).to.deep.equal(['a.b', 'c'])
    expect(select()).to.deep.equal([])
    tree.add('a.b', 'one')
    expect(select()).to.deep.equal(['a.b'])
    tree.add('a.*', 'one')
    expect(select()).to.include('a.b')
    tree.remove('a.*', 'one')
    expect(select()).to.include('a.b')
    tree.remove('a.b', 'one')
    expect(select()).to.deep.equal(['a.b'])
    expect(select()).to.deep.equal([])
  })

  it('caches the route of a type without targets', () => {
    let derived = 0
    const tree = new PatternTree<string, boolean>((targets) => {
      derived++
      return targets.length > 0
    })
    for (let time = 0; time < 3; time++) expect(tree.select('a')).to.equal(false)
    expect(derived).to.equal(1)
    tree.add('>', 'one')
    expect(tree.select('a')).to.equal(true)
  })

  it('limits the number of cached routes', () => {
    const { tree, derived } = treeOf<string>()
    tree.add('made-up.*', 'one')
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 11_000; index++) {
        expect(tree.select(`made-up.${index}`)).to.deep.equal(['one'])
      }
    }
    expect(derived.length).to.be.greaterThan(11_000)
  })

  it('keeps no memory of removed patterns', () => {
    const { tree } = treeOf<string>()
    const before = heapUsed()
    for (let index = 0; index < 30_000; index++) {
      tree.add(`a.${index}.b.*`, 'one')
      tree.remove(`a.${index}.b.*`, 'one')
    }
    expect(heapUsed() - before).to.be.below(4 * 1024 * 1024)
    tree.add('a.1.b', 'one')
    expect(tree.select('a.1.b')).to.deep.equal(['one'])
  })

  it('keeps the patterns above, below and beside a removed pattern', () => {
    const { tree } = treeOf<string>()
    for (const pattern of ['a', 'a.b', 'a.b.c', 'a.d', 'a.*', 'a.>']) tree.add(pattern, pattern)
    tree.remove('a.b', 'a.b')
    tree.remove('a.b', 'a.b')
    tree.remove('a.b.x', 'never')
    tree.remove('x', 'never')
    expect(tree.select('a')).to.deep.equal(['a'])
    expect(tree.select('a.b')).to.have.members(['a.*', 'a.>'])
    expect(tree.select('a.b.c')).to.have.members(['a.b.c', 'a.>'])
    expect(tree.select('a.d')).to.have.members(['a.d', 'a.*', 'a.>'])
  })

  it('returns a route that does not change while targets are added and removed', () => {
    const { tree } = treeOf<string>()
    tree.add('a', 'one')
    tree.add('a', 'two')
    const walked: string[] = []
    for (const target of tree.select('a')) {
      walked.push(target)
      tree.remove('a', 'two')
      tree.add('a', 'three')
    }
    expect(walked).to.deep.equal(['one', 'two'])
    expect(tree.select('a')).to.deep.equal(['one', 'three'])
  })

  it('compares targets by identity', () => {
    const { tree } = treeOf<object>()
    const [one, other] = [{ name: 'same' }, { name: 'same' }]
    tree.add('a', one)
    tree.add('a', other)
    tree.remove('a', one)
    expect(tree.select('a')).to.have.lengthOf(1)
    expect(tree.select('a')[0]).to.equal(other)
  })
})
