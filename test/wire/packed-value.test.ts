import { expect } from 'chai'
import fc from 'fast-check'
import { EventEncoder } from '../../src/wire/event-encoder'
import { holdsBigint } from '../../src/wire/packed-value'
import { payload } from '../support/message-arbitraries'
import { evaluate, payloadVectors } from '../support/vectors'

const encoder = new EventEncoder(1024 * 1024)
/** Holds the byte of the extension, and bytes that look like it. */
const lookalike = fc.constantFrom(
  'B'.repeat(66),
  Buffer.from('c70942010000000000000000', 'hex'),
  { B: 'B' },
  new Date(1),
)
const large = fc.bigInt({ min: 2n ** 64n, max: 2n ** 32_767n - 1n }).chain((value) => fc.constantFrom(value, -value))

function holds(value: unknown): boolean {
  const { bytes, payloadStart } = encoder.event('t', value)
  return holdsBigint(bytes, payloadStart)
}

describe('holdsBigint', () => {
  it('finds an integer over 64 bits at any place', () => {
    const anything = fc.array(fc.oneof(payload, lookalike), { maxLength: 4 })
    fc.assert(
      fc.property(anything, large, anything, (before, value, after) => {
        expect(holds([...before, value, ...after])).to.equal(true)
        expect(holds({ before, inner: [[{ value }]], after })).to.equal(true)
        expect(holds(value)).to.equal(true)
      }),
    )
  })

  it('finds none where there is none', () => {
    const small = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
    fc.assert(
      fc.property(fc.array(fc.oneof(payload, lookalike, small), { maxLength: 8 }), (value) => {
        expect(holds(value)).to.equal(false)
      }),
    )
  })

  it('finds them in every form of msgpack', () => {
    for (const { name, hex, arrives } of payloadVectors) {
      const value = evaluate(arrives)
      const isLarge =
        typeof value === 'bigint' && value !== BigInt.asIntN(64, value) && value !== BigInt.asUintN(64, value)
      const body = Buffer.from(hex, 'hex').subarray(4)
      expect(holdsBigint(body, 0), name).to.equal(isLarge || name === 'bigints inside others')
    }
  })
})
