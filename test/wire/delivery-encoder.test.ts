import { expect } from 'chai'
import fc from 'fast-check'
import { decodeMessage } from '../../src/wire/codec'
import { encodeDelivery, maxDeliveryBytes } from '../../src/wire/delivery-encoder'
import { EventDecoder } from '../../src/wire/event-decoder'
import { type Frame, PREFIX_BYTES } from '../../src/wire/frame'
import { packPayload } from '../../src/wire/packer'
import { payload, type } from '../support/message-arbitraries'

/** Numbers around the ends of each form on the wire, and any others. */
const count = fc.oneof(
  fc.constantFrom(...[7, 8, 16, 32].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]), 0, 1, 2 ** 53 - 1),
  fc.nat({ max: Number.MAX_SAFE_INTEGER }),
)

const longType = fc.integer({ min: 1, max: 255 }).map((bytes) => 'x'.repeat(bytes))

function packed(payload: unknown): Buffer {
  const { bytes, end } = packPayload(payload, 1024 * 1024)
  return Buffer.from(bytes.subarray(0, end))
}

const deliveries = fc.record({
  kind: fc.constant('give' as const),
  member: count,
  number: count,
  type: fc.oneof(type, longType),
  isFixed: fc.boolean(),
  payload: fc.option(payload, { nil: undefined }),
})

type SampleDelivery = typeof deliveries extends fc.Arbitrary<infer Value> ? Value : never

function frameOf({ member, number, type, isFixed, payload }: SampleDelivery, redelivered = 0): Frame {
  const bytes = payload === undefined ? Buffer.alloc(0) : packed(payload)
  return encodeDelivery(member, number, type, isFixed, bytes, redelivered)
}

/** The result of a call, or the class of its error. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error instanceof Error ? error.constructor.name : error
  }
}

describe('the frame of a delivery', () => {
  it('is decoded to the delivery', () => {
    fc.assert(
      fc.property(deliveries, (delivery) => {
        const frame = frameOf(delivery)
        expect(decodeMessage(frame.bytes, frame.start + PREFIX_BYTES, frame.end)).to.deep.equal(delivery)
        expect(frame.bytes.readUInt32BE(frame.start)).to.equal(frame.end - frame.start - PREFIX_BYTES)
      }),
    )
  })

  it('is decoded in place where it has a payload, is given for the first time, and its numbers are no larger than 32 bits', () => {
    const decoder = new EventDecoder()
    fc.assert(
      fc.property(deliveries, fc.nat(1), (delivery, redelivered) => {
        const { bytes, start, end } = frameOf(delivery, redelivered)
        const decoded = decoder.delivery(bytes, start + PREFIX_BYTES, end)
        const isShort = Math.max(delivery.member, delivery.number) < 2 ** 32
        if (isShort && delivery.payload !== undefined && redelivered === 0) expect(decoded).to.deep.equal(delivery)
        else expect(decoded).to.equal(undefined)
        decoder.forget()
      }),
    )
  })

  it('is decoded in place only as it is otherwise, also when it is broken off, damaged, or has more behind it', () => {
    const damages = fc.record({
      at: fc.nat(40),
      byte: fc.nat(255),
      cut: fc.nat(12),
      tail: fc.uint8Array({ maxLength: 8 }),
    })
    fc.assert(
      fc.property(deliveries, damages, (delivery, { at, byte, cut, tail }) => {
        const frame = frameOf(delivery)
        const bytes = Buffer.concat([frame.bytes.subarray(0, frame.end), tail])
        const start = frame.start + PREFIX_BYTES
        if (start + at < frame.end) bytes[start + at] = byte
        const end = Math.max(start + 1, frame.end - cut)
        const decoder = new EventDecoder()
        const decoded = outcomeOf(() => decoder.delivery(bytes, start, end))
        if (decoded !== undefined) expect(decoded).to.deep.equal(outcomeOf(() => decodeMessage(bytes, start, end)))
      }),
      { numRuns: 2000 },
    )
  })

  it('is never longer than is said before', () => {
    fc.assert(
      fc.property(count, count, fc.oneof(type, longType), fc.nat(300), (member, number, type, bytes) => {
        const { start, end } = encodeDelivery(member, number, type, true, Buffer.alloc(bytes, 0xc0))
        expect(end - start - PREFIX_BYTES).to.be.at.most(maxDeliveryBytes(type, bytes))
      }),
    )
    const most = Number.MAX_SAFE_INTEGER
    const { start, end } = encodeDelivery(most, most, 'x'.repeat(255), true, Buffer.alloc(0), most)
    expect(end - start - PREFIX_BYTES).to.equal(maxDeliveryBytes('x'.repeat(255), 0))
  })
})
