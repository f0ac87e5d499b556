import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { InvalidArgument, InvalidPayload } from '../../src/model/errors'
import { checkSchema, isSchema, type SchemaResult, type StandardSchema, validate } from '../../src/model/schema'
import { unhandledDuring } from '../support/unhandled'

/** A schema with this for its validation. */
function schemaWith<Output>(validate: StandardSchema<unknown, Output>['~standard']['validate']) {
  return { '~standard': { version: 1, vendor: 'test', validate } } satisfies StandardSchema<unknown, Output>
}

/** What validating throws; it has to be an `InvalidPayload`. */
function refusal(schema: StandardSchema, value: unknown): InvalidPayload {
  try {
    validate(schema, value, 'event a')
  } catch (error) {
    if (error instanceof InvalidPayload) return error
    throw error
  }
  expect.fail('expected the payload to be refused')
}

const libraries = {
  zod: {
    plain: z.object({ id: z.string(), lines: z.array(z.object({ count: z.number() })) }),
    transforming: z.object({ at: z.string().transform((text) => text.length), kind: z.string().default('none') }),
    asyncRefined: z.string().refine(async (text) => text.length > 3),
    asyncTransforming: z.string().transform(async (text) => text.length),
    throwing: z.string().transform((): number => {
      throw new TypeError('no such order')
    }),
  },
  valibot: {
    plain: v.object({ id: v.string(), lines: v.array(v.object({ count: v.number() })) }),
    transforming: v.object({
      at: v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
      kind: v.optional(v.string(), 'none'),
    }),
    asyncRefined: v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => text.length > 3),
    ),
    asyncTransforming: v.pipeAsync(
      v.string(),
      v.transformAsync(async (text) => text.length),
    ),
    throwing: v.pipe(
      v.string(),
      v.transform((): number => {
        throw new TypeError('no such order')
      }),
    ),
  },
}

for (const [library, { plain, transforming, asyncRefined, asyncTransforming, throwing }] of Object.entries(libraries)) {
  describe(`a schema of ${library}`, () => {
    it('is one of the Standard Schema interface', () => {
      for (const schema of [plain, transforming, asyncRefined, throwing]) {
        expect(isSchema(schema)).to.equal(true)
        expect(checkSchema('schema', schema)).to.equal(schema)
      }
    })

    it('lets through what fits', () => {
      const order = { id: 'A1', lines: [{ count: 2 }, { count: 0.5 }] }
      expect(validate(plain, order, 'event a')).to.deep.equal(order)
    })

    it('hands over what it makes of a payload', () => {
      expect(validate(transforming, { at: 'noon' }, 'event a')).to.deep.equal({ at: 4, kind: 'none' })
    })

    it('refuses what does not fit, and says where and why', () => {
      const error = refusal(plain, { id: 7, lines: [{ count: 2 }, { count: 'two' }] })
      expect(error.issues).to.have.lengthOf(2)
      expect(error.message).to.match(
        /^event a: expected a payload that fits its schema, got one with issues: id: .+; lines\.1\.count: .+$/,
      )
      for (const { message } of error.issues) expect(error.message).to.contain(message)
    })

    it('refuses what does not fit as a whole without a path', () => {
      expect(refusal(plain, undefined).message).to.match(/got one with issues: [^:]*nvalid/)
    })

    it('is refused itself where it answers with a promise, whatever the promise comes to', async () => {
      const unhandled = await unhandledDuring(() => {
        for (const schema of [asyncRefined, asyncTransforming]) {
          for (const value of ['long enough', 'no']) {
            const error = refusal(schema, value)
            expect(error.message).to.equal('event a: expected a schema that answers at once, got a promise')
            expect(error.issues).to.deep.equal([])
          }
        }
      })
      expect(unhandled).to.deep.equal([])
    })

    it('refuses also where it throws', async () => {
      const unhandled = await unhandledDuring(() => {
        const error = refusal(throwing, 'A1')
        // zod takes whatever is thrown for a wish to be asked again, for a promise.
        expect(error.message).to.contain(library === 'zod' ? 'got a promise' : 'but it failed: no such order')
        expect(error.issues).to.deep.equal([])
      })
      expect(unhandled).to.deep.equal([])
    })
  })
}

describe('a schema of nobody known', () => {
  it('may be a function', () => {
    const schema = Object.assign(
      () => {},
      schemaWith((value) => ({ value })),
    )
    expect(isSchema(schema)).to.equal(true)
    expect(validate(schema, 7, 'event a')).to.equal(7)
  })

  it('may make anything of a payload, also nothing', () => {
    for (const value of [undefined, null, 0, '', false]) {
      const schema = schemaWith((): SchemaResult<unknown> => ({ value }))
      expect(validate(schema, 'something', 'event a')).to.equal(value)
    }
  })

  it('is called as a method of its own', () => {
    const schema = schemaWith(function (this: unknown, value): SchemaResult<unknown> {
      return { value: this === schema['~standard'] ? value : 'a stranger' }
    })
    expect(validate(schema, 7, 'event a')).to.equal(7)
  })

  it('refuses by its issues, of whatever form their paths are, and even if there are none', () => {
    const symbol = Symbol('s')
    const issues = [
      { message: 'one' },
      { message: 'two', path: [] },
      { message: 'three', path: ['a', 0, symbol] },
      { message: 'four', path: [{ key: 'b' }, { key: 1 }, { key: symbol }] },
    ]
    const error = refusal(
      schemaWith(() => ({ issues })),
      7,
    )
    expect(error.message).to.match(/issues: one; two; a\.0\.Symbol\(s\): three; b\.1\.Symbol\(s\): four$/)
    expect(error.issues).to.deep.equal(issues)
    expect(error.issues).not.to.equal(issues)
    expect(
      refusal(
        schemaWith(() => ({ issues: [] })),
        7,
      ).issues,
    ).to.deep.equal([])
  })

  it('that rejects later does so without anybody noticing', async () => {
    const unhandled = await unhandledDuring(() => {
      const schema = schemaWith(() => Promise.reject(new Error('late')))
      expect(refusal(schema, 7).message).to.contain('got a promise')
    })
    expect(unhandled).to.deep.equal([])
  })

  for (const issues of ['too late', [null], 7]) {
    it(`refuses with InvalidPayload where its issues are ${JSON.stringify(issues)}`, () => {
      const answer = Object.assign({ issues: [] }, { issues })
      expect(
        refusal(
          schemaWith(() => answer),
          7,
        ).message,
      ).to.contain('event a: expected an answer of the schema, but it failed: expected an array of issues, got ')
    })
  }

  it('refuses with the cause where it throws, also what is no error', () => {
    const schema = schemaWith(() => {
      throw 'a word'
    })
    expect(refusal(schema, 7).message).to.equal('event a: expected an answer of the schema, but it failed: a word')
    const cause = new TypeError('no such order')
    const throwing = schemaWith(() => {
      throw cause
    })
    expect(refusal(throwing, 7).cause).to.equal(cause)
  })
})

describe('checkSchema', () => {
  const standard = { version: 1, vendor: 'test', validate: () => ({ value: 1 }) }
  for (const [what, value] of Object.entries({
    undefined: undefined,
    null: null,
    'a word': '~standard',
    'an object': {},
    'a class': class {},
    'null where the interface should be': { '~standard': null },
    'a function where the interface should be': { '~standard': () => {} },
    'an interface without a validation': { '~standard': { version: 1, vendor: 'test' } },
    'a validation that is no function': { '~standard': { ...standard, validate: true } },
  })) {
    it(`refuses ${what}`, () => {
      expect(isSchema(value)).to.equal(false)
      expect(() => checkSchema('schema of a', value)).to.throw(
        InvalidArgument,
        'schema of a: expected a schema of the Standard Schema interface, got ',
      )
    })
  }
})
