import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { InvalidArgument, InvalidPayload } from '../../src/model/errors'
import { checkSchema, isSchema, type SchemaResult, type StandardSchema, validate } from '../../src/model/schema'
import { ODD_ANSWERS } from '../support/odd-answers'
import { throwing } from '../support/throwing'
import { unhandledDuring } from '../support/unhandled'

/** A schema with this `validate`. */
function schemaWith<Output>(validate: StandardSchema<unknown, Output>['~standard']['validate']) {
  return { '~standard': { version: 1, vendor: 'test', validate } } satisfies StandardSchema<unknown, Output>
}

/** The `InvalidPayload` that validating throws. */
function refusal(schema: StandardSchema, value: unknown = 7): InvalidPayload {
  try {
    validate(schema, value, 'event a')
  } catch (error) {
    if (error instanceof InvalidPayload) return error
    throw error
  }
  expect.fail('expected the payload to be refused')
}

const lengthOf = (text: string) => text.length
const lengthLater = async (text: string) => text.length
const isLong = async (text: string) => text.length > 3
const fail: () => number = throwing(new TypeError('no such order'))

const libraries = {
  zod: {
    plain: z.object({ id: z.string(), lines: z.array(z.object({ count: z.number() })) }),
    transforming: z.object({ at: z.string().transform(lengthOf), kind: z.string().default('none') }),
    asyncRefined: z.string().refine(isLong),
    asyncTransforming: z.string().transform(lengthLater),
    throwing: z.string().transform(fail),
  },
  valibot: {
    plain: v.object({ id: v.string(), lines: v.array(v.object({ count: v.number() })) }),
    transforming: v.object({ at: v.pipe(v.string(), v.transform(lengthOf)), kind: v.optional(v.string(), 'none') }),
    asyncRefined: v.pipeAsync(v.string(), v.checkAsync(isLong)),
    asyncTransforming: v.pipeAsync(v.string(), v.transformAsync(lengthLater)),
    throwing: v.pipe(v.string(), v.transform(fail)),
  },
}

for (const [library, { plain, transforming, asyncRefined, asyncTransforming, throwing }] of Object.entries(libraries)) {
  describe(`a schema of ${library}`, () => {
    it('is accepted as a schema', () => {
      for (const schema of [plain, transforming, asyncRefined, throwing]) {
        expect(isSchema(schema)).to.equal(true)
        expect(checkSchema('schema', schema)).to.equal(schema)
      }
    })

    it('returns a valid payload', () => {
      const order = { id: 'A1', lines: [{ count: 2 }, { count: 0.5 }] }
      expect(validate(plain, order, 'event a')).to.deep.equal(order)
    })

    it('returns its conversion of a payload', () => {
      expect(validate(transforming, { at: 'noon' }, 'event a')).to.deep.equal({ at: 4, kind: 'none' })
    })

    it('rejects an invalid payload, and says where and why', () => {
      const error = refusal(plain, { id: 7, lines: [{ count: 2 }, { count: 'two' }] })
      expect(error.issues).to.have.lengthOf(2)
      expect(error.message).to.match(/^event a: the payload does not match its schema: id: .+; lines\.1\.count: .+$/)
      for (const { message } of error.issues) expect(error.message).to.contain(message)
    })

    it('has no path in the message if the whole payload is invalid', () => {
      expect(refusal(plain, undefined).message).to.match(/does not match its schema: [^:]*nvalid/)
    })

    it('is rejected if it validates asynchronously, whether or not the payload is valid', async () => {
      const unhandled = await unhandledDuring(() => {
        for (const schema of [asyncRefined, asyncTransforming]) {
          for (const value of ['long enough', 'no']) {
            const error = refusal(schema, value)
            expect(error.message).to.equal(
              'event a: its schema validates asynchronously, or throws, as it returns a promise; use a synchronous schema',
            )
            expect(error.issues).to.deep.equal([])
          }
        }
      })
      expect(unhandled).to.deep.equal([])
    })

    it('rejects a payload for which it throws', async () => {
      const unhandled = await unhandledDuring(() => {
        const error = refusal(throwing, 'A1')
        // zod takes a throw as a request to validate asynchronously.
        expect(error.message).to.contain(
          library === 'zod' ? 'validates asynchronously, or throws' : 'its schema failed: no such order',
        )
        expect(error.issues).to.deep.equal([])
      })
      expect(unhandled).to.deep.equal([])
    })
  })
}

describe('a schema of an unknown library', () => {
  it('may be a function', () => {
    const same = schemaWith((value) => ({ value }))
    const schema = Object.assign(() => {}, same)
    expect(isSchema(schema)).to.equal(true)
    expect(validate(schema, 7, 'event a')).to.equal(7)
  })

  it('may convert a payload to any value', () => {
    for (const value of [undefined, null, 0, '', false]) {
      const schema = schemaWith((): SchemaResult<unknown> => ({ value }))
      expect(validate(schema, 'something', 'event a')).to.equal(value)
    }
  })

  it('has its validate function called as a method', () => {
    const schema = schemaWith(function (this: unknown, value): SchemaResult<unknown> {
      return { value: this === schema['~standard'] ? value : 'another this' }
    })
    expect(validate(schema, 7, 'event a')).to.equal(7)
  })

  it('rejects a payload by its issues, with any form of path, and with an empty list', () => {
    const symbol = Symbol('s')
    const issues = [
      { message: 'one' },
      { message: 'two', path: [] },
      { message: 'three', path: ['a', 0, symbol] },
      { message: 'four', path: [{ key: 'b' }, { key: 1 }, { key: symbol }] },
    ]
    const error = refusal(schemaWith(() => ({ issues })))
    expect(error.message).to.match(/its schema: one; two; a\.0\.Symbol\(s\): three; b\.1\.Symbol\(s\): four$/)
    expect(error.issues).to.deep.equal(issues)
    expect(error.issues).not.to.equal(issues)
    expect(refusal(schemaWith(() => ({ issues: [] }))).issues).to.deep.equal([])
  })

  it('causes no unhandled rejection if its promise rejects later', async () => {
    const unhandled = await unhandledDuring(() => {
      const schema = schemaWith(() => Object.assign(Promise.reject(new Error('late')), { catch: () => {} }))
      expect(refusal(schema).message).to.contain('validates asynchronously')
    })
    expect(unhandled).to.deep.equal([])
  })

  for (const issues of ['too late', [null], 7]) {
    it(`fails with InvalidPayload if its issues are ${JSON.stringify(issues)}`, () => {
      const answer = Object.assign({ issues: [] }, { issues })
      expect(refusal(schemaWith(() => answer)).message).to.contain(
        'event a: its schema failed: expected an array of issues, got ',
      )
    })
  }

  for (const [what, [answer, says]] of Object.entries(ODD_ANSWERS)) {
    it(`refuses the payload with a short error if it answers with ${what}`, () => {
      const { message, issues } = refusal(schemaWith(answer))
      expect(message).to.match(says)
      expect(message).to.have.length.below(500)
      expect(issues).to.have.length.below(101)
    })
  }

  it('fails with what it throws as the cause, also if that is not an error', () => {
    const schema = schemaWith(throwing('a word'))
    expect(refusal(schema).message).to.equal('event a: its schema failed: a word')
    const cause = new TypeError('no such order')
    expect(refusal(schemaWith(throwing(cause))).cause).to.equal(cause)
  })
})

describe('checkSchema', () => {
  const standard = { version: 1, vendor: 'test', validate: () => ({ value: 1 }) }
  for (const [what, value] of Object.entries({
    undefined: undefined,
    null: null,
    'a string': '~standard',
    'an object': {},
    'a class': class {},
    'null as its interface': { '~standard': null },
    'a function as its interface': { '~standard': () => {} },
    'an interface without validate': { '~standard': { version: 1, vendor: 'test' } },
    'a validate that is not a function': { '~standard': { ...standard, validate: true } },
  })) {
    it(`rejects ${what}`, () => {
      expect(isSchema(value)).to.equal(false)
      expect(() => checkSchema('schema of a', value)).to.throw(
        InvalidArgument,
        'schema of a: expected a schema of the Standard Schema interface, got ',
      )
    })
  }
})
