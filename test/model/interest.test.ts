import { expect } from 'chai'
import fc from 'fast-check'
import { type Interest, InterestSet, isInterestedIn, isQueued, keyOf } from '../../src/model/interest'

const web = { name: 'shop', groups: ['web'] }
const loner = { name: 'loner', groups: [] }

const interest: fc.Arbitrary<Interest> = fc.record(
  {
    type: fc.constantFrom('a', 'a.*', '__proto__'),
    from: fc.constantFrom(undefined, [], ['a'], ['a', 'b'], { group: 'a' }),
    queue: fc.constantFrom(undefined, 'a', 'b'),
    responds: fc.constantFrom(undefined, false, true),
  },
  { requiredKeys: ['type'] },
)

/** What an interest means, written another way than its key. */
function meaningOf({ type, from, queue, responds = false }: Interest): string {
  const audience = from && 'group' in from ? from : `names ${from}`
  return JSON.stringify({ type, from: from === undefined ? null : audience, queue: queue ?? null, responds })
}

describe('isInterestedIn', () => {
  it('holds for everyone where the interest does not say from whom', () => {
    for (const origin of [web, loner]) expect(isInterestedIn({ type: 'a' }, origin)).to.equal(true)
  })

  it('holds for those that the interest names, or whose group it names', () => {
    const forms = [['shop'], ['other', 'shop'], { group: 'web' }]
    for (const from of forms) {
      expect(isInterestedIn({ type: 'a', from }, web)).to.equal(true)
      expect(isInterestedIn({ type: 'a', from }, loner)).to.equal(false)
    }
    expect(isInterestedIn({ type: 'a', from: [] }, web)).to.equal(false)
  })
})

describe('keyOf', () => {
  it('is the same exactly for interests that mean the same', () => {
    fc.assert(
      fc.property(interest, interest, (one, other) => {
        expect(keyOf(one) === keyOf(other)).to.equal(meaningOf(one) === meaningOf(other))
      }),
      { numRuns: 1000 },
    )
  })

  it('tells a name from a list that is written like it, and a queue from none', () => {
    const keys = [
      keyOf({ type: 'a' }),
      keyOf({ type: 'a', from: [] }),
      keyOf({ type: 'a', from: ['b,c'] }),
      keyOf({ type: 'a', from: ['b', 'c'] }),
      keyOf({ type: 'a', queue: '0' }),
      keyOf({ type: 'a', responds: true }),
    ]
    expect(new Set(keys).size).to.equal(keys.length)
  })
})

describe('InterestSet', () => {
  it('tells news, has and lists what was added and not removed as often, members of queues each', () => {
    const few = fc.constantFrom<Interest[]>({ type: 'a' }, { type: 'a', queue: 'q' }, { type: 'a', responds: true })
    const step = fc.record({ adds: fc.boolean(), interest: fc.oneof(few, interest) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const set = new InterestSet()
        const counts = new Map<string, number>()
        for (const { adds, interest } of steps) {
          const key = meaningOf(interest)
          const count = counts.get(key) ?? 0
          if (adds) {
            counts.set(key, count + 1)
            expect(set.add(interest)).to.equal(count === 0 || interest.queue !== undefined)
          } else {
            counts.set(key, Math.max(count - 1, 0))
            expect(set.remove(interest)).to.equal(count === 1 || (count > 0 && interest.queue !== undefined))
          }
          expect(set.has(interest)).to.equal((counts.get(key) ?? 0) > 0)
        }
        const listed = [...set].map(meaningOf).sort()
        const expected = [...counts].flatMap(([key, count]) => {
          return Array<string>(JSON.parse(key).queue === null ? Math.min(count, 1) : count).fill(key)
        })
        expect(listed).to.deep.equal(expected.sort())
      }),
    )
  })

  it('calls whoever shares a queue a member', () => {
    expect(isQueued({ type: 'a', queue: 'q' })).to.equal(true)
    expect(isQueued({ type: 'a' })).to.equal(false)
    expect(isQueued({ type: 'a', responds: true })).to.equal(false)
  })
})
