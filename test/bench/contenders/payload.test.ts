import { expect } from 'chai'
import { PAYLOADS, payloadKind } from '../../../bench/contenders/payload'

const SIZES = { binary: 100, object: 400, text: 100 }

describe('payloads of the bench', () => {
  for (const name of PAYLOADS) {
    it(`a ${name} payload carries its sequence number, sender and time`, () => {
      const kind = payloadKind(name, SIZES[name])
      for (const sequence of [0, 1, 4_294_967_295]) {
        const payload = kind.make(sequence, 3, 123_456_789_012)
        expect(kind.sequenceOf(payload)).to.equal(sequence)
        expect(kind.originOf(payload)).to.equal(3)
        expect(kind.sentAtOf(payload)).to.equal(123_456_789_012)
        expect(kind.isWhole(payload)).to.equal(true)
      }
    })

    it(`a ${name} payload of another size is not whole`, () => {
      const other = payloadKind(name, SIZES[name] + 1).make(0, 0, 0)
      expect(payloadKind(name, SIZES[name]).isWhole(other)).to.equal(false)
    })

    it(`the ${name} kind rejects payloads of the other kinds`, () => {
      const kind = payloadKind(name, SIZES[name])
      for (const other of PAYLOADS.filter((each) => each !== name)) {
        expect(() => kind.sequenceOf(payloadKind(other, SIZES[other]).make(0, 0, 0))).to.throw(TypeError, 'expected')
      }
    })
  }

  it('a payload has the requested size', () => {
    expect(payloadKind('binary', 100).make(0, 0, 0)).to.have.length(100)
    expect(payloadKind('text', 100).make(0, 0, 0)).to.have.length(100)
    expect(JSON.stringify(payloadKind('object', 400).make(0, 0, 0))).to.have.length(400)
  })

  it('an object payload has ten fields', () => {
    expect(Object.keys(Object(payloadKind('object', 100).make(0, 0, 0)))).to.have.length(10)
  })
})
