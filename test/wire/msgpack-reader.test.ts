import { expect } from 'chai'
import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { MsgpackReader } from '../../src/wire/msgpack-reader'
import { packPayload } from '../../src/wire/packer'
import { collectGarbage, heapUsed } from '../support/garbage'
import { payload } from '../support/message-arbitraries'
import { violation } from '../support/violation'

const LEVELS = 512
const msgpackr = new Unpackr({ useRecords: false })

const read = (bytes: Buffer, levels = LEVELS) => new MsgpackReader().read(bytes, 0, bytes.length, levels)
const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex')

function packed(value: unknown): Buffer {
  const { bytes, start, end } = packPayload(value, 64 * 1024 * 1024)
  return Buffer.from(bytes.subarray(start, end))
}

/** What only some msgpack libraries know. */
const special = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.date({ noInvalidDate: true, min: new Date(-1e13), max: new Date(1e14) }),
  fc.constant(undefined),
)
const anything = fc.array(fc.oneof(payload, special), { maxLength: 6 })

type Format = readonly [first: number, bytesOfLength: number]

const STRINGS: readonly Format[] = [
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
]
const BINARIES: readonly Format[] = [
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
]
const ARRAYS: readonly Format[] = [
  [0xdc, 2],
  [0xdd, 4],
]
const MAPS: readonly Format[] = [
  [0xde, 2],
  [0xdf, 4],
]

/** Writes values in formats that are chosen at random among those that have room for them. */
class OddWriter {
  readonly #choose: () => number

  constructor(choose: () => number) {
    this.#choose = choose
  }

  write(value: unknown): Buffer {
    if (typeof value === 'number' && value >> 0 === value) return this.#integer(value)
    if (typeof value === 'string')
      return Buffer.concat([this.#head(STRINGS, Buffer.byteLength(value)), Buffer.from(value)])
    if (Buffer.isBuffer(value)) return Buffer.concat([this.#head(BINARIES, value.length), value])
    if (Array.isArray(value)) {
      return Buffer.concat([this.#head(ARRAYS, value.length), ...value.map((element) => this.write(element))])
    }
    if (typeof value !== 'object' || value === null) return packed(value)
    const entries = Object.entries(value)
    return Buffer.concat([this.#head(MAPS, entries.length), ...entries.flat().map((part) => this.write(part))])
  }

  #integer(value: number): Buffer {
    const bytes = Buffer.alloc(9)
    if (this.#choose() % 2 === 0) {
      bytes[0] = 0xcb
      bytes.writeDoubleBE(value, 1)
      return bytes
    }
    bytes[0] = 0xd2
    bytes.writeInt32BE(value, 1)
    return bytes.subarray(0, 5)
  }

  #head(formats: readonly Format[], length: number): Buffer {
    const fitting = formats.filter(([, bytes]) => length < 2 ** (8 * bytes))
    const [first = 0, bytes = 1] = fitting[this.#choose() % fitting.length] ?? []
    const head = Buffer.alloc(1 + bytes)
    head[0] = first
    head.writeUIntBE(length, 1, bytes)
    return head
  }
}

describe('MsgpackReader', () => {
  it('reads what msgpackr reads, and the same', () => {
    fc.assert(
      fc.property(anything, (values) => {
        const bytes = packed(values)
        expect(read(bytes)).to.deep.equal(msgpackr.unpack(bytes))
      }),
    )
  })

  it('reads a value in every format that has room for it, not only in the shortest', () => {
    fc.assert(
      fc.property(payload, fc.infiniteStream(fc.nat()), (value, choices) => {
        const bytes = new OddWriter(() => choices.next().value ?? 0).write(value)
        const expected = msgpackr.unpack(bytes)
        expect(read(bytes)).to.deep.equal(expected)
        expect(expected).to.deep.equal(value)
      }),
    )
  })

  it('reads numbers of every width, with their signs', () => {
    for (const [bytes, value] of [
      ['7f', 127],
      ['e0', -32],
      ['ff', -1],
      ['ccff', 255],
      ['cdffff', 65_535],
      ['ceffffffff', 4_294_967_295],
      ['cfffffffffffffffff', 2n ** 64n - 1n],
      ['d080', -128],
      ['d07f', 127],
      ['d18000', -32_768],
      ['d17fff', 32_767],
      ['d280000000', -2_147_483_648],
      ['d27fffffff', 2_147_483_647],
      ['d38000000000000000', -(2n ** 63n)],
      ['d30000000000000001', 1n],
      ['ca3fc00000', 1.5],
      ['cb3ff8000000000000', 1.5],
    ] as const) {
      expect(read(hex(bytes)), bytes).to.equal(value)
    }
  })

  it('refuses every value that is cut off, and every one with something behind it', () => {
    fc.assert(
      fc.property(anything, fc.nat(), (values, at) => {
        const bytes = packed(values)
        const cut = bytes.subarray(0, at % bytes.length)
        expect(violation(() => read(cut))).to.equal('malformed')
        expect(violation(() => read(Buffer.concat([bytes, hex('c0')])))).to.equal('malformed')
      }),
    )
  })

  it('refuses a value that goes on in the bytes behind its range', () => {
    const whole = packed([{ text: 'x'.repeat(100), bytes: Buffer.alloc(300), numbers: [0.5, 2 ** 31, 2n ** 60n, 300] }])
    for (let end = 0; end < whole.length; end++) {
      expect(
        violation(() => new MsgpackReader().read(whole, 0, end, LEVELS)),
        `${end}`,
      ).to.equal('malformed')
    }
  })

  it('never throws anything but a violation of the protocol, whatever the bytes', () => {
    const reader = new MsgpackReader()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const buffer = Buffer.from(bytes)
        try {
          reader.read(buffer, 0, buffer.length, LEVELS)
        } catch {
          expect(violation(() => reader.read(buffer, 0, buffer.length, LEVELS))).to.equal('malformed')
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('refuses a value that is nested deeper than it may be', () => {
    const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), hex('01')])
    expect(read(nested(3), 3)).to.deep.equal([[[1]]])
    expect(violation(() => read(nested(4), 3))).to.equal('malformed')
    expect(violation(() => read(hex('81a16181a16101'), 1))).to.equal('malformed')
  })

  it('reads the keys of objects right, however many there are and whatever their order', () => {
    const reader = new MsgpackReader()
    const key = (number: number) => `${'k'.repeat(number % 70)}${number * 2_654_435_761}`
    const shapes = Array.from({ length: 3000 }, (_, shape) =>
      Object.fromEntries(Array.from({ length: 4 }, (_, index) => [key((shape * 7 + index * 13) % 9000), index])),
    )
    for (const shape of [...shapes, ...shapes.toReversed(), { é: 1, '': 2, ['x'.repeat(300)]: 3 }]) {
      const bytes = packed(shape)
      expect(reader.read(bytes, 0, bytes.length, LEVELS)).to.deep.equal(shape)
    }
  })

  it('reads objects right whose keys are those of objects before, in part or all of them, however often', () => {
    const key = fc.constantFrom(
      'a',
      'b',
      'c',
      'dd',
      'é',
      '__proto__',
      '__proto_',
      'constructor',
      '1',
      'x'.repeat(64),
      'y'.repeat(65),
    )
    const shape = fc.uniqueArray(key, { maxLength: 6 })
    const value = fc.oneof(fc.integer(), fc.string({ maxLength: 12 }), fc.constant(undefined))
    const reader = new MsgpackReader()
    fc.assert(
      fc.property(
        fc.array(shape, { minLength: 1, maxLength: 4 }),
        fc.array(value, { minLength: 8, maxLength: 8 }),
        (shapes, values) => {
          const objects = shapes.map((keys) => Object.fromEntries(keys.map((key, index) => [key, values[index]])))
          const [outer = {}, ...inner] = objects
          const payloads = [...objects, { ...outer, inner }, [inner, { ...outer, a: { ...outer, inner } }]]
          // Often enough that functions are compiled for those of which there are many.
          for (let times = 0; times < 5; times++) {
            for (const payload of payloads) {
              const bytes = packed(payload)
              const arrived = reader.read(bytes, 0, bytes.length, LEVELS)
              expect(arrived).to.deep.equal(msgpackr.unpack(bytes))
              expect(JSON.stringify(arrived), 'in the same order').to.equal(JSON.stringify(msgpackr.unpack(bytes)))
            }
          }
          reader.forget()
        },
      ),
      { numRuns: 300 },
    )
  })

  it('reads on as before when a payload ends within an object whose keys it knows', () => {
    const reader = new MsgpackReader()
    const whole = packed({ id: 1, nested: { id: 2, name: 'x' }, name: 'y' })
    for (let times = 0; times < 3; times++) {
      for (let end = 1; end < whole.length; end++) {
        expect(violation(() => reader.read(whole, 0, end, LEVELS))).to.equal('malformed')
        expect(reader.read(whole, 0, whole.length, LEVELS)).to.deep.equal({
          id: 1,
          nested: { id: 2, name: 'x' },
          name: 'y',
        })
      }
    }
  })

  it('keeps no value of an object alive once it has been read and the buffer is forgotten', async () => {
    const reader = new MsgpackReader()
    const bytes = packed({ id: 1, data: { deep: 'x' } })
    const readOnce = () => new WeakRef(Object(Reflect.get(Object(reader.read(bytes, 0, bytes.length, LEVELS)), 'data')))
    for (let times = 0; times < 200; times++) readOnce()
    const ref = readOnce()
    reader.forget()
    await collectGarbage()
    expect(ref.deref()).to.equal(undefined)
  })

  it('reads an object whose key has a setter in Object.prototype, the first time as the last', () => {
    let calls = 0
    Object.defineProperty(Object.prototype, 'zip', { set: () => calls++, configurable: true })
    try {
      const reader = new MsgpackReader()
      const bytes = Buffer.from([0x82, 0xa1, 0x61, 1, 0xa3, 0x7a, 0x69, 0x70, 2])
      for (let times = 0; times < 150; times++) {
        const object = reader.read(bytes, 0, bytes.length, LEVELS)
        expect(Object.entries(Object(object))).to.deep.equal([
          ['a', 1],
          ['zip', 2],
        ])
      }
      expect(calls).to.equal(0)
    } finally {
      Reflect.deleteProperty(Object.prototype, 'zip')
    }
  })

  it('keeps a bounded number of keys, whatever a peer sends', async () => {
    const reader = new MsgpackReader()
    const readAll = (from: number) => {
      for (let number = from; number < from + 100_000; number += 10) {
        const keys = Array.from({ length: 10 }, (_, index) => `user-${number + index}`)
        const bytes = packed(Object.fromEntries(keys.map((key) => [key, 1])))
        reader.read(bytes, 0, bytes.length, LEVELS)
      }
      reader.forget()
    }
    readAll(0)
    await collectGarbage()
    const before = heapUsed()
    readAll(1_000_000)
    await collectGarbage()
    expect((heapUsed() - before) / 2 ** 20, 'MiB').to.be.lessThan(5)
  })

  it('reads short texts of every length, ASCII and not, at the end of a buffer too', () => {
    for (let length = 0; length < 40; length++) {
      for (const text of ['x'.repeat(length), `${'y'.repeat(length)}é`, `ü${'z'.repeat(length)}`]) {
        expect(read(packed(text))).to.equal(text)
      }
    }
  })

  it('reads many texts in one payload, ASCII and not, between other values, wherever the payload lies', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 90 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('twelve chars', 'x'.repeat(64), 'y'.repeat(65), `${'z'.repeat(30)}é`, `é${'z'.repeat(30)}`),
    )
    const value = fc.oneof(
      { weight: 3, arbitrary: text },
      fc.integer(),
      fc.uint8Array({ maxLength: 20 }).map(Buffer.from),
    )
    const reader = new MsgpackReader()
    fc.assert(
      fc.property(fc.array(fc.array(value, { maxLength: 30 }), { maxLength: 4 }), (payloads) => {
        const bodies = payloads.map(packed)
        // One behind another, in memory that begins before the buffer.
        const memory = Buffer.concat([Buffer.alloc(13, 0xe9), ...bodies])
        const buffer = memory.subarray(13)
        let start = 0
        for (const [index, { length }] of bodies.entries()) {
          expect(reader.read(buffer, start, start + length, LEVELS)).to.deep.equal(payloads[index])
          start += length
        }
        reader.forget()
      }),
    )
  })

  it('reads texts as they are now, when a buffer holds other texts than before', () => {
    const reader = new MsgpackReader()
    const buffer = Buffer.alloc(200)
    for (const name of ['Ada Lovelace', 'Alan  Turing', 'Grace Hopper']) {
      const length = packed([name, name]).copy(buffer)
      expect(reader.read(buffer, 0, length, LEVELS)).to.deep.equal([name, name])
    }
  })

  it('reads timestamps of 4, 8 and 12 bytes, and refuses others', () => {
    for (const time of [0, 1_700_000_000_000, 1_700_000_000_123, -1, -62_135_596_800_000, 4_294_967_296_000, 8.64e15]) {
      expect(read(packed(new Date(time)))).to.deep.equal(new Date(time))
    }
    expect(read(hex('d7ff 00000ffc 00000000')), 'less than a millisecond').to.deep.equal(new Date(0))
    for (const bytes of ['d5ff0000', 'c703ff000000', 'd8ff00000000000000000000000000000000', 'c700ff']) {
      expect(violation(() => read(hex(bytes)))).to.equal('malformed')
    }
  })

  it('copies bytes out of a buffer that will be overwritten, and keeps no more than 8 KiB alive for a few', () => {
    const reader = new MsgpackReader()
    const value = {
      first: Buffer.alloc(32, 1),
      second: [Buffer.alloc(0), Buffer.alloc(100, 2)],
      large: Buffer.alloc(20_000, 3),
    }
    const body = packed([value, value])
    const chunk = Buffer.concat([body, Buffer.alloc(64 * 1024)])
    const arrived = reader.read(chunk, 0, body.length, LEVELS)
    reader.forget()
    chunk.fill(0xff)
    expect(arrived).to.deep.equal([value, value])
    expect(arrived)
      .to.have.nested.property('[0].first.buffer.byteLength')
      .that.is.at.most(8 * 1024)
  })

  it('does not copy what is most of a buffer that nobody overwrites', () => {
    const bytes = packed({ id: 1, data: Buffer.alloc(10_000, 7), few: Buffer.alloc(10, 8) })
    const value = new MsgpackReader().read(bytes, 0, bytes.length, LEVELS, true)
    const parts = Object.values(Object(value)).filter((part) => Buffer.isBuffer(part))
    expect(parts.map(({ buffer }) => buffer === bytes.buffer)).to.deep.equal([true, false])
  })
})
