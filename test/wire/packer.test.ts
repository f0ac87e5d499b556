import { expect } from 'chai'
import { unpack } from 'msgpackr'
import { UnserializablePayload } from '../../src/model/errors'
import { type Packed, packMessage, packPayload } from '../../src/wire/packer'
import { throwing } from '../support/throwing'

const LIMIT = 64 * 1024 * 1024

const objectOf = (keys: number) =>
  Object.fromEntries(Array.from({ length: keys }, (_, index) => [`key ${index}`, index]))

const bytesOf = ({ bytes, end }: Packed) => Buffer.from(bytes.subarray(0, end))
const packed = (payload: unknown) => bytesOf(packPayload(payload, LIMIT))

describe('a packed payload', () => {
  for (const keys of [0, 1, 15, 16, 65_535, 65_536, 70_000]) {
    it(`can contain an object of ${keys} keys`, () => {
      const payload = { before: 'before', inside: objectOf(keys), behind: 'behind' }
      expect(unpack(packed(payload))).to.deep.equal(payload)
      expect(unpack(packed('next'))).to.equal('next')
    })
  }

  it('has its outermost object in the shortest form', () => {
    for (const keys of [0, 1, 15, 16, 65_535, 65_536]) {
      const [payload, elements] = [objectOf(keys), [objectOf(keys)]]
      // The array around it is one byte.
      expect(packed(payload)).to.deep.equal(bytesOf(packMessage(elements, LIMIT)).subarray(1))
    }
  })

  it('is rejected with the path to a function behind an object of very many keys', () => {
    const payload = { inside: objectOf(70_000), flawed: [0, () => {}] }
    expect(() => packPayload(payload, LIMIT)).to.throw(UnserializablePayload, 'payload.flawed[1] is a function')
  })

  it('is rejected with what its getter throws', () => {
    const get = throwing(new TypeError('broken on purpose'))
    const payload = Object.defineProperty({}, 'broken', { get, enumerable: true })
    expect(() => packPayload(payload, LIMIT))
      .to.throw(UnserializablePayload, 'broken on purpose')
      .with.nested.property('cause.message')
    expect(unpack(packed('next'))).to.equal('next')
  })

  it('has the own keys of an object, even if it overrides or lacks hasOwnProperty', () => {
    class Stubborn {
      first = 1
      second = 2
      hasOwnProperty = null
    }
    class Secretive {
      first = 1
      second = 2
    }
    Object.defineProperty(Secretive.prototype, 'hasOwnProperty', { value: () => false })
    Object.defineProperty(Stubborn.prototype, 'inherited', { value: 3, enumerable: true })
    const heir = Object.assign(Object.create(Object.assign(Object.create(null), { inherited: 1 })), { own: 2 })
    const payload = [new Stubborn(), new Secretive(), heir]
    expect(unpack(packed(payload))).to.deep.equal([
      { first: 1, second: 2, hasOwnProperty: null },
      { first: 1, second: 2 },
      { own: 2 },
    ])
  })
})
