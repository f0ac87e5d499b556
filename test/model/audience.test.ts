import { expect } from 'chai'
import { type Audience, checkAudience, includes, isAddressed } from '../../src/model/audience'
import { InvalidArgument } from '../../src/model/errors'

const shop = { name: 'shop', groups: ['web', 'eu'] }
const loner = { name: 'loner', groups: [] }

describe('an audience', () => {
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
    const who = forShop ? (forLoner ? 'both' : 'the shop only') : forLoner ? 'the loner only' : 'neither'
    it(`of ${JSON.stringify(audience)} includes ${who}`, () => {
      expect(includes(audience, shop)).to.equal(forShop)
      expect(includes(audience, loner)).to.equal(forLoner)
    })

    it(`of ${JSON.stringify(audience)} decides alike as \`to\`, and the other way round as \`except\``, () => {
      for (const [who, isIncluded] of [
        [shop, forShop],
        [loner, forLoner],
      ] as const) {
        expect(isAddressed(who, audience, undefined)).to.equal(isIncluded)
        expect(isAddressed(who, undefined, audience)).to.equal(!isIncluded)
        expect(isAddressed(who, audience, audience)).to.equal(false)
      }
    })
  }

  it('is everyone where nobody is named', () => {
    expect(isAddressed(shop, undefined, undefined)).to.equal(true)
    expect(isAddressed(loner, undefined, undefined)).to.equal(true)
  })

  it('leaves out an exception even if it is addressed too', () => {
    expect(isAddressed(shop, { group: 'web' }, 'shop')).to.equal(false)
    expect(isAddressed(shop, ['shop', 'loner'], { group: 'web' })).to.equal(false)
    expect(isAddressed(loner, ['shop', 'loner'], { group: 'web' })).to.equal(true)
  })
})

describe('checkAudience', () => {
  for (const good of ['shop', [], ['a', 'b'], { group: 'web' }]) {
    it(`takes ${JSON.stringify(good)}`, () => checkAudience('to', good))
  }

  for (const [what, bad] of Object.entries({
    undefined: undefined,
    null: null,
    'a number': 7,
    'a function': () => 'shop',
    'an array with a number': ['a', 7],
    'an array of arrays': [['a']],
    'an empty object': {},
    'a group that is no string': { group: 7 },
    'several groups': { group: ['a', 'b'] },
    'a Set of names': new Set(['a']),
  })) {
    it(`refuses ${what}, with the name of the option`, () => {
      expect(() => checkAudience('except', bad)).to.throw(
        InvalidArgument,
        /^except: expected a name, an array of names or \{ group \}, got /,
      )
    })
  }
})
