import { expect } from 'chai'
import fc from 'fast-check'
import { InvalidArgument } from '../../src/model/errors'
import { checkPattern, checkTypeName, hasWildcard, MAX_TYPE_BYTES, matches } from '../../src/model/pattern'

const token = fc.constantFrom('a', 'b', 'ab', 'order', 'é', '^$', '[x]', '\\', '__proto__')
const type = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 3 }), fc.oneof(token, fc.constantFrom('*', '>')))
  .map(([tokens, last]) => [...tokens, last].join('.'))

/** Matches with a regular expression. */
function isMatch(pattern: string, type: string): boolean {
  const tokens = pattern.split('.').map((token) => {
    if (token === '*') return '[^.]+'
    return token === '>' ? '.+' : token.replace(/[$^[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${tokens.join('\\.')}$`, 'u').test(type)
}

describe('matches', () => {
  const cases: [pattern: string, matching: string[], others: string[]][] = [
    ['order', ['order'], ['orders', 'orde', 'order.placed', 'ORDER']],
    ['order.placed', ['order.placed'], ['order', 'order.paid', 'order.placed.late']],
    ['*', ['order', 'é', '😀'], ['order.placed', 'a.b.c']],
    ['order.*', ['order.placed', 'order.paid'], ['order', 'order.placed.late', 'orders.placed']],
    ['*.placed', ['order.placed'], ['placed', 'order.paid', 'a.order.placed']],
    ['order.*.late', ['order.placed.late'], ['order.late', 'order.a.b.late', 'order.placed.early']],
    ['*.*', ['a.b'], ['a', 'a.b.c']],
    ['>', ['a', 'a.b', 'a.b.c.d'], []],
    ['order.>', ['order.placed', 'order.placed.late'], ['order', 'orders.placed', 'a.order.placed']],
    ['*.>', ['a.b', 'a.b.c'], ['a']],
    ['order.*.>', ['order.a.b', 'order.a.b.c'], ['order.a', 'order']],
  ]

  for (const [pattern, matching, others] of cases) {
    it(`matches ${pattern} with ${matching.join(', ')}${others.length > 0 ? `, not with ${others.join(', ')}` : ''}`, () => {
      for (const type of matching) expect(matches(pattern, type), type).to.equal(true)
      for (const type of others) expect(matches(pattern, type), type).to.equal(false)
    })
  }

  it('agrees with a regular expression', () => {
    fc.assert(
      fc.property(pattern, type, (pattern, type) => {
        expect(matches(pattern, type)).to.equal(isMatch(pattern, type))
      }),
      { numRuns: 2000 },
    )
  })

  it('matches a type with every pattern made from it', () => {
    const made = type.chain((type) => {
      const tokens = type.split('.')
      return fc
        .tuple(fc.array(fc.boolean(), { minLength: tokens.length, maxLength: tokens.length }), fc.nat(tokens.length))
        .map(([stars, cut]) => {
          const starred = tokens.map((token, index) => (stars[index] ? '*' : token))
          return { type, pattern: [...starred.slice(0, cut), ...(cut < tokens.length ? ['>'] : [])].join('.') }
        })
    })
    fc.assert(
      fc.property(made, ({ type, pattern }) => {
        expect(matches(pattern, type)).to.equal(true)
      }),
    )
  })
})

describe('a pattern', () => {
  for (const pattern of ['*', '>', 'a.*', '*.a', '*.*', 'a.>', '*.>', 'a.*.b', 'order.*.>', 'café.*']) {
    it(`may be ${pattern}, which is not a type name`, () => {
      for (let time = 0; time < 2; time++) {
        expect(checkPattern(pattern)).to.equal(pattern)
        expect(hasWildcard(pattern)).to.equal(true)
        expect(() => checkTypeName(pattern)).to.throw(InvalidArgument)
      }
    })
  }

  for (const name of ['a', 'order.placed', 'café', '😀.👍']) {
    it(`may be the type name ${name}`, () => {
      expect(checkPattern(name)).to.equal(name)
      expect(hasWildcard(name)).to.equal(false)
      expect(checkTypeName(name)).to.equal(name)
    })
  }

  const bad: Readonly<Record<string, unknown>> = {
    nothing: '',
    'a dot at the end': 'a.*.',
    'a dot at the start': '.*',
    'two dots in a row': 'a..*',
    'a star within a token': 'a*.b',
    'two stars for one token': '**',
    'a greater-than sign before the end': '>.a',
    'a greater-than sign in the middle': 'a.>.b',
    'two greater-than signs': '>.>',
    'a greater-than sign within a token': 'a>',
    'a space': 'a .*',
    'a line break at the end': 'a.*\n',
    'half a surrogate pair': '*.\ud83d',
    'a number': 7,
    undefined,
    'an array': ['a.*'],
    'a String object': Object('a.*'),
  }

  for (const [what, value] of Object.entries(bad)) {
    it(`may not be or contain ${what}`, () => {
      for (let time = 0; time < 2; time++) {
        expect(() => checkPattern(value)).to.throw(InvalidArgument, 'event type: expected tokens joined by dots')
      }
    })
  }

  it(`may have ${MAX_TYPE_BYTES} bytes of UTF-8 and no more`, () => {
    const longest = `${'é'.repeat(126)}x.*`
    expect(Buffer.byteLength(longest)).to.equal(MAX_TYPE_BYTES)
    expect(checkPattern(longest)).to.equal(longest)
    expect(() => checkPattern(`x${longest}`)).to.throw(InvalidArgument, 'expected at most 255 bytes, got 256')
  })

  it('is checked in linear time if it is very long', () => {
    for (const value of [`${'a'.repeat(1_000_000)} `, '*.'.repeat(500_000), `${'*.'.repeat(100_000)}>.a`]) {
      expect(() => checkPattern(value)).to.throw(InvalidArgument, /got '.{80}…'/)
    }
  })
})
