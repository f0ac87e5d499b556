import { expect } from 'chai'
import fc from 'fast-check'
import { decodeMessage } from '../../src/wire/codec'
import { PREFIX_BYTES } from '../../src/wire/frame'
import { encodeGift, maxGiftBytes } from '../../src/wire/gift-encoder'
import { pack } from '../../src/wire/packer'
import { payload, type } from '../support/message-arbitraries'

/** Numbers around the ends of each form on the wire, and any others. */
const count = fc.oneof(
  fc.constantFrom(...[7, 8, 16, 32].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]), 0, 1, 2 ** 53 - 1),
  fc.nat({ max: Number.MAX_SAFE_INTEGER }),
)

const longType = fc.integer({ min: 1, max: 255 }).map((bytes) => 'x'.repeat(bytes))

function packed(payload: unknown): Buffer {
  const { bytes, end } = pack(payload, 1024 * 1024)
  return Buffer.from(bytes.subarray(0, end))
}

describe('the frame of a gift', () => {
  it('is decoded to the gift', () => {
    const gifts = fc.record({
      kind: fc.constant('give' as const),
      member: count,
      number: count,
      type: fc.oneof(type, longType),
      isFixed: fc.boolean(),
      payload: fc.option(payload, { nil: undefined }),
    })
    fc.assert(
      fc.property(gifts, (gift) => {
        const bytes = gift.payload === undefined ? Buffer.alloc(0) : packed(gift.payload)
        const frame = encodeGift(gift.member, gift.number, gift.type, gift.isFixed, bytes)
        expect(decodeMessage(frame.bytes, frame.start + PREFIX_BYTES, frame.end)).to.deep.equal(gift)
        expect(frame.bytes.readUInt32BE(frame.start)).to.equal(frame.end - frame.start - PREFIX_BYTES)
      }),
    )
  })

  it('is never longer than is said before', () => {
    fc.assert(
      fc.property(count, count, fc.oneof(type, longType), fc.nat(300), (member, number, type, bytes) => {
        const { start, end } = encodeGift(member, number, type, true, Buffer.alloc(bytes, 0xc0))
        expect(end - start - PREFIX_BYTES).to.be.at.most(maxGiftBytes(type, bytes))
      }),
    )
    const most = Number.MAX_SAFE_INTEGER
    const { start, end } = encodeGift(most, most, 'x'.repeat(255), true, Buffer.alloc(0), most)
    expect(end - start - PREFIX_BYTES).to.equal(maxGiftBytes('x'.repeat(255), 0))
  })
})
