import { expect } from 'chai'
import { type Audience, checkAudience, includes, isAddressed } from '../../src/model/audience'
import { InvalidArgument } from '../../src/model/errors'

const shop = { name: 'shop', groups: ['web', 'eu'] }
const loner = { name: 'loner', groups: [] }

describe('includes and isAddressed', () => {
  const cases: [Audience, forShop: boolean, forLoner: boolean][] = [
    ['shop', true, false],
    ['loner', false, true],
    ['web', false, false],
    ['', false, false],
    ['sho', false, false],
    [['shop'], true, false],
    [['a', 'loner', 'shop'], true, true],
    [['web'], false, false],
    [[], false, false],
    [{ group: 'web' }, true, false],
    [{ group: 'eu' }, true, false],
    [{ group: 'shop' }, false, false],
    [{ group: '' }, false, false],
  ]

  for (const [audience, forShop, forLoner] of cases) {
    const included = forShop ? (forLoner ? 'both' : 'the shop only') : forLoner ? 'the loner only' : 'neither'
    it(`include ${included} for the audience ${JSON.stringify(audience)}`, () => {
      expect(includes(audience, shop)).to.equal(forShop)
      expect(includes(audience, loner)).to.equal(forLoner)
    })

    it(`take the audience ${JSON.stringify(audience)} as \`to\`, and its complement as \`except\``, () => {
      for (const [endpoint, isIncluded] of [
        [shop, forShop],
        [loner, forLoner],
      ] as const) {
        expect(isAddressed(endpoint, audience, undefined)).to.equal(isIncluded)
        expect(isAddressed(endpoint, undefined, audience)).to.equal(!isIncluded)
        expect(isAddressed(endpoint, audience, audience)).to.equal(false)
      }
    })
  }

  it('address every endpoint without `to` and `except`', () => {
    expect(isAddressed(shop, undefined, undefined)).to.equal(true)
    expect(isAddressed(loner, undefined, undefined)).to.equal(true)
  })

  it('leave out an exception even if `to` includes it', () => {
    expect(isAddressed(shop, { group: 'web' }, 'shop')).to.equal(false)
    expect(isAddressed(shop, ['shop', 'loner'], { group: 'web' })).to.equal(false)
    expect(isAddressed(loner, ['shop', 'loner'], { group: 'web' })).to.equal(true)
  })
})

describe('checkAudience', () => {
  for (const good of ['shop', [], ['a', 'b'], { group: 'web' }]) {
    it(`accepts ${JSON.stringify(good)}`, () => checkAudience('to', good))
  }

  it('says which option was probably meant, and what a group may be', () => {
    const expected = 'to: expected a name, an array of names or { group }'
    expect(() => checkAudience('to', { groups: ['a'] })).to.throw(
      InvalidArgument,
      `${expected}, got 'groups': did you mean 'group', with the name of one?`,
    )
    expect(() => checkAudience('to', { group: ['a'] })).to.throw(
      InvalidArgument,
      `${expected}, got a group that is an array of 1`,
    )
    expect(() => checkAudience('to', { names: ['a'] })).to.throw(InvalidArgument, `${expected}, got an object`)
  })

  for (const [what, bad] of Object.entries({
    undefined: undefined,
    null: null,
    'a number': 7,
    'a function': () => 'shop',
    'an array with a number': ['a', 7],
    'an array of arrays': [['a']],
    'an empty object': {},
    'a group that is not a string': { group: 7 },
    'several groups': { group: ['a', 'b'] },
    'a Set of names': new Set(['a']),
  })) {
    it(`rejects ${what} with the name of the option`, () => {
      expect(() => checkAudience('except', bad)).to.throw(
        InvalidArgument,
        /^except: expected a name, an array of names or \{ group \}, got /,
      )
    })
  }
})
