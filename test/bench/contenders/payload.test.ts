import { expect } from 'chai'
import { PAYLOADS, type PayloadName, payloadKind } from '../../../bench/contenders/payload'

import { SHAPE_NAMES } from '../../../bench/contenders/shape'

/** Bytes of those whose size can be chosen. */
const SIZES: Readonly<Record<string, number>> = { binary: 100, object: 400, text: 100, unicode: 100 }

const sizeOf = (name: string) => SIZES[name] ?? 0

const isPayloadName = (name: string): name is PayloadName => PAYLOADS.some((each) => each === name)

describe('payloads of the bench', () => {
  for (const name of PAYLOADS) {
    it(`a ${name} payload carries its sequence number, sender and time`, () => {
      const kind = payloadKind(name, sizeOf(name))
      for (const sequence of [0, 1, 4_294_967_295]) {
        const payload = kind.make(sequence, 3, 123_456_789_012)
        expect(kind.sequenceOf(payload)).to.equal(sequence)
        expect(kind.originOf(payload)).to.equal(3)
        expect(kind.sentAtOf(payload)).to.equal(123_456_789_012)
        expect(kind.isWhole(payload)).to.equal(true)
      }
    })
  }

  for (const name of Object.keys(SIZES).filter(isPayloadName)) {
    it(`a ${name} payload of another size is not whole`, () => {
      const other = payloadKind(name, sizeOf(name) + 1).make(0, 0, 0)
      expect(payloadKind(name, sizeOf(name)).isWhole(other)).to.equal(false)
    })
  }

  for (const name of SHAPE_NAMES.filter((name) => name !== 'flat-3')) {
    it(`a ${name} payload that has only a stamp is not whole`, () => {
      expect(payloadKind(name, 0).isWhole(payloadKind('flat-3', 0).make(0, 0, 0))).to.equal(false)
    })
  }

  it('a payload of one kind is no payload of another', () => {
    const kinds = ['binary', 'object', 'text'] as const
    for (const name of kinds) {
      for (const other of kinds.filter((each) => each !== name)) {
        const payload = payloadKind(other, sizeOf(other)).make(0, 0, 0)
        expect(() => payloadKind(name, sizeOf(name)).sequenceOf(payload)).to.throw(TypeError, 'expected')
      }
    }
  })

  it('a payload has the requested size', () => {
    expect(payloadKind('binary', 100).make(0, 0, 0)).to.have.length(100)
    expect(payloadKind('text', 100).make(0, 0, 0)).to.have.length(100)
    expect(JSON.stringify(payloadKind('object', 400).make(0, 0, 0))).to.have.length(400)
  })

  it('an object payload has ten fields', () => {
    expect(Object.keys(Object(payloadKind('object', 100).make(0, 0, 0)))).to.have.length(10)
  })
})
