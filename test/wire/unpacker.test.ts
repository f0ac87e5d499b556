import { expect } from 'chai'
import fc from 'fast-check'
import { addExtension, Packr, pack, unpack as unpackAnything } from 'msgpackr'
import { decodeMessage } from '../../src/wire/codec'
import { EventDecoder } from '../../src/wire/event-decoder'
import { violation } from '../support/violation'

const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex')

/** Reads an event of type `t` with this payload, between two others in a chunk. */
function readEvent(payload: Buffer): unknown {
  const body = Buffer.concat([hex('9305a174'), payload])
  const chunk = Buffer.concat([hex('9305a17401'), body, hex('9305a17402')])
  const decoder = new EventDecoder()
  decoder.readPreamble(chunk, 0, 5)
  expect(decoder.payload(chunk, 5)).to.equal(1)
  const end = 5 + body.length
  expect(decoder.readPreamble(chunk, 5, end)).to.equal(true)
  const read = decoder.payload(chunk, end)
  decoder.readPreamble(chunk, end, chunk.length)
  expect(decoder.payload(chunk, chunk.length)).to.equal(2)
  return read
}

/** Reads the same payload in a response. */
function readMessage(payload: Buffer): unknown {
  const body = Buffer.concat([hex('930e01'), payload])
  const message = decodeMessage(body, 0, body.length)
  return message.kind === 'response' ? message.payload : expect.fail(`expected a response, got ${message.kind}`)
}

/** The payload is malformed in an event and in a response. */
function expectMalformed(payload: Buffer): void {
  for (const read of [readEvent, readMessage]) expect(violation(() => read(payload))).to.equal('malformed')
}

/** Makes a payload so long that it is read by the other decoder. */
const LONG = `d9c8 ${'78'.repeat(200)}`

/** A payload by itself and nested in an array or a map, in short and long ones. */
function* placesOf(payload: string): Generator<Buffer> {
  yield hex(payload)
  yield hex(`91 ${payload}`)
  yield hex(`92 01 ${payload}`)
  yield hex(`82 a161 01 a162 ${payload}`)
  yield hex(`81 a161 91 81 a162 ${payload}`)
  yield hex(`92 ${LONG} ${payload}`)
  yield hex(`82 a161 ${LONG} a162 ${payload}`)
}

/** Bytes that are not msgpack or not part of the protocol. */
const FOREIGN: readonly [what: string, payload: string][] = [
  ['a record of a shape that was not told', 'c1'],
  ['a record of msgpackr', 'd47240 91a161 01'],
  ['a record of msgpackr with a two-byte number', 'd5724001 91a161 01'],
  ['an Error', 'd46500 93a54572726f72a26e6fc0'],
  ['a Set', 'd47300 9101'],
  ['a RegExp', 'd47800 92a161a0'],
  ['a typed array', 'c7027401 05'],
  ['a bigint without bytes', 'c70042'],
  ['a bigint of one byte', 'd44201'],
  ['a bigint of 64 bits', 'd742 7fffffffffffffff'],
  ['a bigint that fits into an unsigned integer', 'c70942 00 8000000000000000'],
  ['a bigint with a zero too many', 'c70a42 00 7fffffffffffffffff'],
  ['a negative bigint with a byte too many', 'c70942 ff 8000000000000000'],
  ['a long negative bigint with a byte too many', 'c70a42 ff 800000000000000000'],
  ['a bigint of 4,097 bytes', `c8100142 40 ${'00'.repeat(4096)}`],
  ['bundled strings', 'd662 00000004 a0a0 01'],
  ['a value with an id for references', 'd669 00000001 90'],
  ['a reference', 'd670 00000001'],
  ['an unknown extension', 'd40500'],
  ['an unknown extension in ext 8', 'c7010500'],
  ['an unknown extension in ext 16', 'c800010500'],
  ['an unknown extension in ext 32', 'c90000000105 00'],
]

describe('an unpacked payload', () => {
  for (const [what, payload] of FOREIGN) {
    it(`is malformed with ${what} at any place`, () => {
      for (const bytes of placesOf(payload)) {
        expectMalformed(bytes)
      }
    })

    it(`is malformed with ${what} as a key`, () => {
      expect(violation(() => readEvent(hex(`81 ${payload} 01`)))).to.equal('malformed')
    })
  }

  it('may contain bigints of any size up to 4,096 bytes at any place', () => {
    for (const [bytes, value] of [
      ['c70942 01 0000000000000000', 2n ** 64n],
      ['c800094201 0000000000000000', 2n ** 64n],
      ['c70942 ff 7fffffffffffffff', -(2n ** 63n) - 1n],
      [`d842 80 ${'00'.repeat(15)}`, -(2n ** 127n)],
      [`c8100042 7f ${'ff'.repeat(4095)}`, 2n ** 32_767n - 1n],
    ] as const) {
      for (const read of [readEvent, readMessage]) {
        expect(read(hex(bytes))).to.equal(value)
        for (const place of placesOf(bytes)) expect(read(place), String(place)).not.to.equal(undefined)
        expect(read(hex(`93 01 ${bytes} 02`))).to.deep.equal([1, value, 2])
        expect(read(hex(`92 ${LONG} 81 a162 ${bytes}`))).to.have.deep.nested.property('1.b', value)
      }
    }
  })

  it('is malformed with a bigint of 10 MB before its digits are looked at', () => {
    const digits = Buffer.alloc(10 * 1024 * 1024, 0x77)
    const head = hex('c9 00a00000 42')
    expectMalformed(Buffer.concat([head, digits]))
    expectMalformed(Buffer.concat([hex('91'), head, digits]))
  })

  it('may contain the first byte of a record inside other values', () => {
    const long = 'x'.repeat(200)
    const numbers = [-1, 0xc1, 0xc1c1, 0xc1c1c1c1, -1.2345e300]
    const values = [long, [long, 0xc1], ...numbers, Buffer.from([0xc1, 0xc1]), { deep: [{ c: 0xc1 }] }]
    for (const value of [...values, values]) {
      const bytes = new Packr({ useRecords: false }).pack(value)
      expect(readEvent(bytes)).to.deep.equal(value)
      expect(readMessage(bytes)).to.deep.equal(value)
    }
    expect(readEvent(hex('a1c1'))).to.equal('\ufffd')
  })

  it('is malformed exactly if it contains that byte as a value, among others in a chunk', () => {
    const payloads = fc.array(
      fc.oneof(fc.constant('c1'), fc.constant('ccc1'), fc.constant('91c1'), fc.constant('07')),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(payloads, (chosen) => {
        const decoder = new EventDecoder()
        const bodies = chosen.map((payload) => hex(`9305a174 ${payload}`))
        const chunk = Buffer.concat(bodies)
        let start = 0
        for (const [index, { length }] of bodies.entries()) {
          const end = start + length
          decoder.readPreamble(chunk, start, end)
          const read = () => decoder.payload(chunk, end)
          if (['c1', '91c1'].includes(chosen[index] ?? '')) expect(violation(read)).to.equal('malformed')
          else expect(read()).to.be.a('number')
          start = end
        }
      }),
    )
  })

  it('is checked again if its buffer is reused', () => {
    const decoder = new EventDecoder()
    const chunk = hex('9305a17407')
    decoder.readPreamble(chunk, 0, 5)
    expect(decoder.payload(chunk, 5)).to.equal(7)
    decoder.forget()
    chunk[4] = 0xc1
    decoder.readPreamble(chunk, 0, 5)
    expect(violation(() => decoder.payload(chunk, 5))).to.equal('malformed')
  })

  it('is not affected by extensions that a program adds to its msgpackr, and vice versa', () => {
    class Money {
      readonly amount: number
      constructor(amount: number) {
        this.amount = amount
      }
    }
    addExtension({
      Class: Money,
      type: 0x11,
      pack: ({ amount }) => Buffer.of(amount),
      unpack: (bytes) => new Money(bytes[0] ?? 0),
    })
    const packed = pack(new Money(7))
    expect(unpackAnything(packed)).to.deep.equal(new Money(7))
    expect(violation(() => readEvent(packed))).to.equal('malformed')
    const anything = new Packr({ moreTypes: true, structuredClone: true })
    expect(anything.unpack(anything.pack(new Set([new RangeError('no')])))).to.be.instanceOf(Set)
  })

  describe('with keys that a frozen prototype has', () => {
    const names = ['frozen', 'firm', 'fixed']
    beforeEach(() => {
      for (const name of names) Object.defineProperty(Object.prototype, name, { value: 0, configurable: true })
    })
    afterEach(() => {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name)
    })

    it('has them as its own, short or long, and stays malformed where it was', () => {
      const inner = JSON.parse('{"firm":1,"fixed":{"firm":[null]},"__proto__":2,"fine":{"frozen":3}}')
      for (const filler of ['', 'x'.repeat(200), 'x'.repeat(20_000)]) {
        const payload = [inner, { frozen: [new Date(5), Buffer.from([1]), undefined], filler }]
        const bytes = new Packr({ useRecords: false }).pack(payload)
        for (const read of [readEvent, readMessage]) {
          const value = read(bytes)
          expect(JSON.stringify(value)).to.equal(JSON.stringify(payload).replace('__proto__', '__proto_'))
          expect(value).to.have.nested.property('1.frozen.0').that.deep.equals(new Date(5))
        }
        expectMalformed(Buffer.concat([bytes, hex('00')]))
      }
      expect(readEvent(hex('83 a666726f7a656e 01 c0 02 07 03'))).to.deep.equal({ frozen: 1, null: 2, 7: 3 })
      expectMalformed(hex('82 a666726f7a656e 01 90 02'))
      expectMalformed(hex('82 a666726f7a656e 01 a161 c1'))
      expectMalformed(hex('82 a666726f7a656e 01 a161 d40500'))
    })
  })

  /** A header of each nesting format, with room for one more value. */
  const NESTS = {
    array: '91',
    'array 16': 'dc0001',
    'array 32': 'dd00000001',
    map: '81a161',
    'map 32': 'df00000001a161',
  }

  for (const [form, nest] of Object.entries(NESTS)) {
    it(`may be nested 512 deep in the format ${form}, and is malformed before it exhausts the stack`, () => {
      expect(readEvent(hex(nest.repeat(512).concat('01')))).to.be.an.instanceOf(Object)
      expect(readMessage(hex(nest.repeat(512).concat('01')))).to.be.an.instanceOf(Object)
      for (const depth of [20_000, 150_000]) {
        expectMalformed(hex(nest.repeat(depth).concat('01')))
      }
    })
  }

  it('allocates no memory for a length that exceeds the payload', () => {
    const before = process.memoryUsage().rss
    for (const head of ['dd', 'df', 'db', 'c6', 'c9']) {
      for (const length of ['ffffffff', '7fffffff', '00ffffff']) {
        for (const bytes of placesOf(`${head} ${length} 0000`)) {
          expectMalformed(bytes)
        }
      }
    }
    expect(violation(() => readEvent(hex(`dc1000 ${'dc1000'.repeat(1300)}`)))).to.equal('malformed')
    expect(process.memoryUsage().rss - before).to.be.below(64 * 1024 * 1024)
  })

  it('is not copied into the message of an error about trailing bytes', () => {
    const buffer = Buffer.alloc(4 * 1024 * 1024)
    const packed = new Packr({ useRecords: false }).pack([buffer])
    const before = process.memoryUsage.rss()
    expectMalformed(Buffer.concat([packed, hex('00')]))
    expect(process.memoryUsage.rss() - before).to.be.below(64 * 1024 * 1024)
  })
})
