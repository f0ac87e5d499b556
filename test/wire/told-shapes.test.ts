import { expect } from 'chai'
import { ProtocolViolation } from '../../src/model/errors'
import { MAX_SHAPE_KEYS, MAX_SHAPES } from '../../src/wire/shape-limits'
import { ToldShapes } from '../../src/wire/told-shapes'
import { unpackNext } from '../../src/wire/unpacker'

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

describe('told shapes', () => {
  let shapes: ToldShapes

  beforeEach(() => {
    shapes = new ToldShapes()
  })

  const read = (hex: string, levels?: number) => {
    const bytes = Buffer.from(hex, 'hex')
    return unpackNext(bytes, 0, bytes.length, levels, false, shapes)
  }

  it('are those of records by their numbers', () => {
    shapes.add(['id', 'price'])
    shapes.add(['at'])
    expect(read('c1000763')).to.deep.equal({ id: 7, price: 99 })
    expect(read('92c10101c100c0c10102')).to.deep.equal([{ at: 1 }, { id: null, price: { at: 2 } }])
  })

  it('make the same object each time, compiled or not', () => {
    shapes.add(['2', 'constructor', 'b', '1', 'quote\'"\\\u2028', ''])
    for (let times = 0; times < 300; times++) {
      const expected = JSON.parse('{"1":4,"2":1,"constructor":2,"b":3,"quote\'\\"\\\\\u2028":5,"":6}')
      expect(read('c100010203040506')).to.deep.equal(expected)
    }
  })

  it('give objects a memory of their own', () => {
    shapes.add(['list'])
    const [one, other] = [read('c10090'), read('c10090')]
    expect(one).to.deep.equal({ list: [] })
    expect(one).not.to.equal(other)
  })

  const malformed: Readonly<Record<string, string>> = {
    'has a number that was not told': 'c10201',
    'has no number': 'c1',
    'has fewer values than keys': 'c10001',
    'is announced to be longer than it is': '92c1000102',
    'is followed by more': 'c100010203',
  }
  for (const [what, hex] of Object.entries(malformed)) {
    it(`refuse a record that ${what}`, () => {
      shapes.add(['id', 'price'])
      expect(() => read(hex)).to.throw(ProtocolViolation, 'malformed')
    })
  }

  it('count a record as a level of nesting', () => {
    shapes.add(['inner'])
    expect(read('c100c10001', 2)).to.deep.equal({ inner: { inner: 1 } })
    expect(() => read('c100c10001', 1)).to.throw(ProtocolViolation, 'nested too deep')
  })

  const refused: Readonly<Record<string, readonly string[]>> = {
    'no keys': [],
    'too many keys': keysOf(MAX_SHAPE_KEYS + 1),
    'a key twice': ['a', 'b', 'a'],
    'the key __proto__': ['a', '__proto__'],
    'keys of over 2,048 bytes': ['€'.repeat(683)],
  }
  for (const [what, keys] of Object.entries(refused)) {
    it(`may not have ${what}`, () => {
      expect(() => shapes.add(keys)).to.throw(ProtocolViolation, 'malformed')
    })
  }

  it('are at most 256, of at most 64 KiB', () => {
    for (let number = 0; number < MAX_SHAPES; number++) shapes.add(keysOf(MAX_SHAPE_KEYS))
    expect(() => shapes.add(['a'])).to.throw(ProtocolViolation, 'more than 256 shapes')
    shapes = new ToldShapes()
    for (let number = 0; number < 32; number++) shapes.add(['x'.repeat(2048)])
    expect(() => shapes.add(['a'])).to.throw(ProtocolViolation, 'more than 65536 bytes')
  })
})
