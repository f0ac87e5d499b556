import { expect } from 'chai'
import { defineEvent } from '../src'
import { MAX_TYPE_BYTES, nameOf } from '../src/definition'
import { InvalidArgument } from '../src/errors'

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
  'nothing at all': '',
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
  'half a surrogate pair, which UTF-8 cannot carry': 'order\ud83d',
}

describe('the name of an event type', () => {
  for (const name of GOOD) {
    it(`may be '${name}'`, () => {
      expect(defineEvent(name)).to.deep.equal({ name })
      expect(nameOf(name)).to.equal(name)
      expect(nameOf(defineEvent(name))).to.equal(name)
    })
  }

  for (const [what, name] of Object.entries(BAD)) {
    it(`may not have ${what}, as often as it is tried`, () => {
      for (let time = 0; time < 2; time++) {
        expect(() => defineEvent(name)).to.throw(InvalidArgument, 'expected tokens joined by dots')
        expect(() => nameOf(name)).to.throw(InvalidArgument, 'expected tokens joined by dots')
        expect(() => nameOf({ name })).to.throw(InvalidArgument, 'expected tokens joined by dots')
      }
    })
  }

  it(`may have ${MAX_TYPE_BYTES} bytes of UTF-8, and no more`, () => {
    for (const character of ['x', 'é', '€', '😀']) {
      const bytes = Buffer.byteLength(character)
      const longest = character.repeat(Math.floor(MAX_TYPE_BYTES / bytes))
      expect(nameOf(longest)).to.equal(longest)
      const longer = `${longest}${character}`
      expect(() => nameOf(longer))
        .to.throw(InvalidArgument)
        .with.property('message')
        .that.contains(`expected at most 255 bytes, got ${Buffer.byteLength(longer)}`)
    }
  })

  it('is checked in no time, however long and odd it is', () => {
    for (const name of [`${'a'.repeat(1_000_000)} `, `${'a.'.repeat(500_000)}`, '.'.repeat(1_000_000)]) {
      expect(() => nameOf(name)).to.throw(InvalidArgument, /got '.{80}…'/)
    }
  })

  it('goes on being checked after very many names', () => {
    for (let index = 0; index < 10_100; index++) expect(nameOf(`many.${index}`)).to.equal(`many.${index}`)
    expect(() => nameOf('many ')).to.throw(InvalidArgument)
    expect(nameOf('many.10099')).to.equal('many.10099')
  })
})

describe('defineEvent', () => {
  it('makes a definition that cannot be changed', () => {
    const definition = defineEvent<{ id: string }>('order.placed')
    expect(Object.isFrozen(definition)).to.equal(true)
    expect(() => Object.assign(definition, { name: 'other' })).to.throw(TypeError)
    expect(definition.name).to.equal('order.placed')
  })

  it('makes equals of equals: definitions in two programs mean the same type', () => {
    expect(defineEvent('order.placed')).to.deep.equal(defineEvent('order.placed'))
  })

  for (const value of [undefined, null, 7, {}, ['a'], Symbol('a')]) {
    it(`refuses ${String(value)} for a name`, () => {
      expect(() => Reflect.apply(defineEvent, undefined, [value])).to.throw(InvalidArgument, 'event type: expected')
    })
  }
})

describe('nameOf', () => {
  for (const [what, value] of Object.entries({
    undefined: undefined,
    null: null,
    'a number': 7,
    'an object without a name': {},
    'an object with a bad name': { name: 'a b' },
    'an object whose name is no string': { name: 7 },
    'a function with a good name': function order() {},
  })) {
    it(`refuses ${what}`, () => {
      expect(() => Reflect.apply(nameOf, undefined, [value])).to.throw(InvalidArgument, 'event type: expected')
    })
  }
})
