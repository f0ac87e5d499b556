import { expect } from 'chai'
import fc from 'fast-check'
import { unpack } from 'msgpackr'
import { Overlong } from '../../src/wire/flaw'
import { MsgpackWriter } from '../../src/wire/msgpack-writer'

const LIMIT = 1024 * 1024
const writer = new MsgpackWriter()

function written(write: () => void, limit = LIMIT): Buffer {
  writer.begin(limit)
  write()
  return Buffer.from(writer.bytes.subarray(0, writer.end))
}

describe('a msgpack writer', () => {
  it('writes text of any length and script in its shortest form', () => {
    const lengths = fc.constantFrom(0, 1, 10, 11, 31, 32, 62, 63, 64, 65, 85, 255, 256)
    const units = fc.constantFrom('a', 'ä', '€', '𝄞', '\ud834', '\udd1e', '\u0000', '\u07ff', '\uffff')
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.array(units, { maxLength: 70 }).map((all) => all.join('')),
    )
    const long = fc.tuple(lengths, units).map(([length, unit]) => unit.repeat(length))
    fc.assert(
      fc.property(fc.oneof(texts, long), (text) => {
        const utf8 = Buffer.from(text)
        const { length } = utf8
        const head =
          length < 0x20 ? [0xa0 | length] : length < 0x100 ? [0xd9, length] : [0xda, length >> 8, length & 0xff]
        const expected = Buffer.concat([Buffer.from(head), utf8]).toString('hex')
        expect(written(() => writer.string(text)).toString('hex')).to.equal(expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('completes the head of a map whose keys are counted while they are written', () => {
    for (const keys of [0, 15, 16, 65_535, 65_536]) {
      const bytes = written(() => {
        writer.array(2)
        const head = writer.beginMap()
        for (let index = 0; index < keys; index++) {
          writer.key(`${index}`)
          writer.number(index)
        }
        writer.endMap(head, keys)
        writer.string('behind')
      }, 2 * LIMIT)
      const object = Object.fromEntries(Array.from({ length: keys }, (_, index) => [`${index}`, index]))
      expect(unpack(bytes)).to.deep.equal([object, 'behind'])
    }
  })

  it('writes bytes and text that fill the buffer several times', () => {
    const parts = [Buffer.alloc(300_000, 1), Buffer.alloc(40, 2), Buffer.alloc(2_000_000, 3)]
    const bytes = written(() => {
      writer.array(4)
      for (const part of parts) writer.binary(part)
      writer.string('x'.repeat(300_000))
    }, 4 * LIMIT)
    expect(unpack(bytes)).to.deep.equal([...parts, 'x'.repeat(300_000)])
  })

  it('writes no more bytes than its limit', () => {
    const limit = 100
    for (const write of [
      () => writer.string('x'.repeat(99)),
      () => writer.string('ä'.repeat(50)),
      () => writer.string('x'.repeat(1000)),
      () => writer.binary(Buffer.alloc(99)),
      () => writer.array(101),
      () => writer.map(101),
      () => {
        for (let index = 0; index < 30; index++) writer.number(index + 0x10000)
      },
    ]) {
      expect(() => written(write, limit)).to.throw(Overlong)
      expect(written(() => writer.string('next'), limit).toString('latin1')).to.equal('\xa4next')
    }
    expect(written(() => writer.string('x'.repeat(98)), limit)).to.have.length(limit)
  })
})
