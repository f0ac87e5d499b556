import { expect } from 'chai'
import { z } from 'zod'
import { defineEvent, defineRequest } from '../../src'
import { boundaryOf } from '../../src/model/boundary'
import { eventNameOf, patternOf, requestNameOf, schemaOf, schemasOf } from '../../src/model/definition'
import { InvalidArgument } from '../../src/model/errors'
import { MAX_TYPE_BYTES } from '../../src/model/pattern'

const GOOD = [
  'a',
  'order',
  'order.placed',
  'a.b.c.d',
  'Order-Placed_2',
  '0',
  'café.geöffnet',
  '訂單',
  '😀.👍',
  'a:b/c',
  '-',
  '~',
]

const BAD: Readonly<Record<string, string>> = {
  'no characters': '',
  'a space': 'order placed',
  'a tab': 'order\tplaced',
  'a line break': 'order.placed\n',
  'a no-break space': 'order\u00a0placed',
  'a NUL': 'order\0',
  'a delete character': 'order\x7f',
  'a C1 control character': 'order\u0085',
  'a dot at the start': '.order',
  'a dot at the end': 'order.',
  'two dots in a row': 'order..placed',
  'nothing but a dot': '.',
  'a star': 'order.*',
  'a star inside a token': 'or*der',
  'a greater-than sign': 'order.>',
  'half a surrogate pair, which UTF-8 cannot encode': 'order\ud83d',
}

describe('an event type name', () => {
  for (const name of GOOD) {
    it(`may be '${name}'`, () => {
      expect(defineEvent(name)).to.include({ kind: 'event', name })
      expect(eventNameOf(name)).to.equal(name)
      expect(eventNameOf(defineEvent(name))).to.equal(name)
    })
  }

  for (const [what, name] of Object.entries(BAD)) {
    it(`may not have ${what}, also at the second check`, () => {
      for (let time = 0; time < 2; time++) {
        expect(() => defineEvent(name)).to.throw(InvalidArgument, 'expected tokens joined by dots')
        expect(() => eventNameOf(name)).to.throw(InvalidArgument, 'expected tokens joined by dots')
        expect(() => eventNameOf({ kind: 'event', name })).to.throw(InvalidArgument, 'expected tokens joined by dots')
        expect(() => defineRequest(name)).to.throw(InvalidArgument, 'expected tokens joined by dots')
        expect(() => requestNameOf(name)).to.throw(InvalidArgument, 'expected tokens joined by dots')
      }
    })
  }

  it(`may have ${MAX_TYPE_BYTES} bytes of UTF-8 and no more`, () => {
    for (const character of ['x', 'é', '€', '😀']) {
      const bytes = Buffer.byteLength(character)
      const longest = character.repeat(Math.floor(MAX_TYPE_BYTES / bytes))
      expect(eventNameOf(longest)).to.equal(longest)
      const longer = `${longest}${character}`
      expect(() => eventNameOf(longer)).to.throw(
        InvalidArgument,
        `expected at most 255 bytes, got ${Buffer.byteLength(longer)}`,
      )
    }
  })

  it('is checked in linear time if it is very long', () => {
    for (const name of [`${'a'.repeat(1_000_000)} `, `${'a.'.repeat(500_000)}`, '.'.repeat(1_000_000)]) {
      expect(() => eventNameOf(name)).to.throw(InvalidArgument, /got '.{80}…'/)
    }
  })

  it('is still checked when the cache of names is full', () => {
    for (let index = 0; index < 10_100; index++) expect(eventNameOf(`many.${index}`)).to.equal(`many.${index}`)
    expect(() => eventNameOf('many ')).to.throw(InvalidArgument)
    expect(eventNameOf('many.10099')).to.equal('many.10099')
  })
})

describe('defineEvent', () => {
  it('returns a frozen definition', () => {
    const definition = defineEvent<{ id: string }>('order.placed')
    expect(Object.isFrozen(definition)).to.equal(true)
    expect(() => Object.assign(definition, { name: 'other' })).to.throw(TypeError)
    expect(definition.name).to.equal('order.placed')
  })

  it('returns equal definitions for equal names', () => {
    expect(defineEvent('order.placed')).to.deep.equal(defineEvent('order.placed'))
  })

  for (const value of [undefined, null, 7, {}, ['a'], Symbol('a')]) {
    it(`rejects ${String(value)} as a name`, () => {
      expect(() => Reflect.apply(defineEvent, undefined, [value])).to.throw(InvalidArgument, 'event type: expected')
      expect(() => Reflect.apply(defineRequest, undefined, [value])).to.throw(InvalidArgument, 'event type: expected')
    })
  }

  it('takes a schema by itself or among other options', () => {
    const schema = z.object({ id: z.string() })
    const [alone, beside] = [defineEvent('definition.a', schema), defineEvent('definition.a', { schema })]
    expect([schemaOf(alone), schemaOf(beside)]).to.deep.equal([schema, schema])
    expect(schemaOf(defineEvent('definition.a'))).to.equal(undefined)
    expect(schemaOf('definition.a')).to.equal(undefined)
  })

  it('sets the boundary of its type by name', () => {
    defineEvent('definition.secret', { boundary: 'internal' })
    expect(boundaryOf('definition.secret')).to.equal('internal')
    defineEvent('definition.web', { boundary: { groups: ['web'] }, schema: z.string() })
    expect(boundaryOf('definition.web')).to.deep.equal({ groups: ['web'] })
  })

  it('keeps the boundary of a type that is defined again, and rejects a different one', () => {
    defineEvent('definition.drawn', { boundary: 'internal' })
    defineEvent('definition.drawn')
    expect(boundaryOf('definition.drawn')).to.equal('internal')
    const other = { boundary: { groups: ['web'] } }
    expect(() => defineEvent('definition.drawn', other)).to.throw(InvalidArgument, 'as it was defined before')
    expect(() => defineRequest('definition.drawn', other)).to.throw(InvalidArgument, 'as it was defined before')
  })

  for (const [what, options, message] of [
    ['a string as options', 'schema', "definition: expected options or a schema, got 'schema'"],
    ['null as options', null, 'definition: expected options or a schema, got null'],
    ['a function as options', () => {}, 'definition: expected options or a schema, got a function'],
    [
      'an object that is not a schema',
      { schema: {} },
      'schema of a: expected a schema of the Standard Schema interface',
    ],
    ['null as a schema', { schema: null }, 'schema of a: expected a schema of the Standard Schema interface'],
    ['an unknown string as a boundary', { boundary: 'x' }, "boundary of a: expected 'internal' or { groups: [names] }"],
    ['null as a boundary', { boundary: null }, "boundary of a: expected 'internal' or { groups: [names] }"],
  ] as const) {
    it(`rejects ${what}`, () => {
      expect(() => Reflect.apply(defineEvent, undefined, ['a', options])).to.throw(InvalidArgument, message)
    })
  }
})

describe('defineRequest', () => {
  it('returns a frozen definition with frozen schemas', () => {
    const request = z.string()
    const definition = defineRequest('order.get', { request, response: z.number() })
    expect(definition).to.include({ kind: 'request', name: 'order.get' })
    expect(Object.isFrozen(definition)).to.equal(true)
    expect(Object.isFrozen(definition.schemas)).to.equal(true)
    expect(schemasOf(definition).request).to.equal(request)
  })

  it('works without schemas', () => {
    expect(schemasOf(defineRequest('order.get'))).to.deep.equal({ request: undefined, response: undefined })
    expect(schemasOf('order.get')).to.deep.equal({})
  })

  it('carries its boundary', () => {
    const boundary = { groups: ['web'] }
    expect(defineRequest('definition.carried', { boundary }).boundary).to.deep.equal(boundary)
    expect(defineEvent('definition.carried', { boundary }).boundary).to.deep.equal(boundary)
    expect(defineEvent('definition.uncarried').boundary).to.equal(undefined)
  })

  it('sets the boundary of its type', () => {
    defineRequest('definition.ask', { boundary: 'internal' })
    expect(boundaryOf('definition.ask')).to.equal('internal')
  })

  it('says that it takes two schemas by name, if it is given one as for an event', () => {
    expect(() => Reflect.apply(defineRequest, undefined, ['a', z.string()])).to.throw(
      InvalidArgument,
      'defineRequest: expected { request, response } with a schema each, got a schema',
    )
  })

  it('names the schema that is invalid', () => {
    const schema = z.string()
    for (const [which, options] of Object.entries({
      request: { request: 7, response: schema },
      response: { request: schema, response: 'string' },
    })) {
      expect(() => Reflect.apply(defineRequest, undefined, ['a', options])).to.throw(
        InvalidArgument,
        `${which} schema of a: expected a schema of the Standard Schema interface, got `,
      )
    }
  })
})

describe('eventNameOf', () => {
  for (const [what, value] of Object.entries({
    undefined: undefined,
    null: null,
    'a number': 7,
    'an object without a name': {},
    'an object with a bad name': { name: 'a b' },
    'an object whose name is not a string': { name: 7 },
    'a function with a good name': function order() {},
  })) {
    it(`rejects ${what}`, () => {
      expect(() => Reflect.apply(eventNameOf, undefined, [value])).to.throw(InvalidArgument, 'event type: expected')
      expect(() => Reflect.apply(patternOf, undefined, [value])).to.throw(InvalidArgument, 'event type: expected')
    })
  }

  it('rejects a request definition, and `requestNameOf` an event definition', () => {
    expect(requestNameOf(defineRequest('a'))).to.equal('a')
    expect(() => Reflect.apply(requestNameOf, undefined, [defineEvent('a')])).to.throw(
      InvalidArgument,
      "request type: 'a' is defined as an event; use broadcast, subscribe, stream or waitFor with it",
    )
    for (const read of [eventNameOf, patternOf]) {
      expect(() => Reflect.apply(read, undefined, [defineRequest('a')])).to.throw(
        InvalidArgument,
        "event type: 'a' is defined as a request; use request, requestAll or respond with it",
      )
    }
  })
})

describe('patternOf', () => {
  it('returns a string as it is and the name of a definition', () => {
    for (const pattern of ['a', 'a.*', '*', '>', 'a.>']) expect(patternOf(pattern)).to.equal(pattern)
    expect(patternOf(defineEvent('a.b'))).to.equal('a.b')
    expect(() => patternOf('a.>.b')).to.throw(InvalidArgument)
    expect(() => patternOf({ kind: 'event', name: 'a.*' })).to.throw(InvalidArgument)
  })
})
