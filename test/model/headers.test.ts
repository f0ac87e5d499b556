import { expect } from 'chai'
import fc from 'fast-check'
import { InvalidArgument } from '../../src/model/errors'
import { headersIn, headersOf, NO_HEADERS } from '../../src/model/headers'

describe('headersOf', () => {
  it('copies and freezes the headers of any plain object', () => {
    const given = { trace: 'x', 'a.b_c-0': '' }
    for (const value of [given, Object.assign(Object.create(null), given)]) {
      const headers = headersOf(value)
      expect(headers).to.deep.equal(given)
      expect(headers).not.to.equal(value)
      expect(Object.isFrozen(headers)).to.equal(true)
    }
  })

  it('returns one object for all that have none', () => {
    for (const value of [undefined, {}, Object.create(null)]) expect(headersOf(value)).to.equal(NO_HEADERS)
  })

  const refused: Readonly<Record<string, readonly [value: unknown, text: string]>> = {
    'an array': [['a'], 'headers: expected an object of strings'],
    'a Map': [new Map([['a', 'b']]), 'headers: expected an object of strings'],
    null: [null, 'headers: expected an object of strings'],
    'a name that begins with a dash': [{ '-a': 'x' }, "beginning with a letter or a digit, got '-a'"],
    'a name in capitals': [{ Trace: 'x' }, 'expected names of 1 to 64'],
    'an empty name': [{ '': 'x' }, 'expected names of 1 to 64'],
    'a name of 65 bytes': [{ ['a'.repeat(65)]: 'x' }, 'expected names of 1 to 64'],
    'a number as a value': [{ a: 1 }, 'expected a string as a, got 1'],
    'over 4,096 bytes': [{ a: 'é'.repeat(2048) }, 'expected at most 4096 bytes together, got 4097'],
  }
  for (const [what, [value, text]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      expect(() => headersOf(value)).to.throw(InvalidArgument, text)
    })
  }

  it('takes 4,096 bytes', () => {
    expect(headersOf({ ab: 'é'.repeat(2047) }))
      .to.have.property('ab')
      .with.length(2047)
  })

  it('refuses what throws when it is read, with the cause', () => {
    const cause = new Error('no')
    const value = {
      get a() {
        throw cause
      },
    }
    expect(() => headersOf(value))
      .to.throw(InvalidArgument, "can't be read")
      .with.property('cause', cause)
  })
})

describe('headersIn', () => {
  it('takes names and values that can be headers, and says why it does not take others', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string({ maxLength: 20 })), { maxLength: 9 }), (fields) => {
        expect(headersIn(fields)).to.deep.equal(Object.fromEntries(fields))
      }),
    )
    expect(headersIn([['a', undefined]])).to.equal('expected a string as a, got undefined')
  })
})
