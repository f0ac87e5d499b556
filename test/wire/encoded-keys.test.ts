import { expect } from 'chai'
import fc from 'fast-check'
import { encode } from 'msgpackr'
import { type EncodedKey, EncodedKeys } from '../../src/wire/encoded-keys'

function bytesOf({ words, length }: EncodedKey): Buffer {
  const bytes = Buffer.alloc(4 * words.length)
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word, 4 * index)
  return bytes.subarray(0, length)
}

describe('a cache of keys', () => {
  it('has each key in its msgpack form, in whatever order they come', () => {
    const keys = fc.string({ unit: 'grapheme', maxLength: 20 })
    fc.assert(
      fc.property(fc.uniqueArray(keys, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(4)), (names, order) => {
        const cache = new EncodedKeys()
        for (const at of order) {
          const key = names[at % names.length] ?? ''
          const found = cache.find(key) ?? expect.fail('the key is not cached')
          expect(found.key).to.equal(key)
          expect(bytesOf(found)).to.deep.equal(encode(key))
        }
      }),
    )
  })

  it('keeps no key of more than 64 characters, and goes on with the next one', () => {
    const cache = new EncodedKeys()
    expect(cache.find('x'.repeat(65))).to.equal(undefined)
    expect(cache.find('x'.repeat(64))).to.have.property('length', 66)
    expect(cache.find('x'.repeat(65))).to.equal(undefined)
  })

  it('keeps at most 1,024 keys', () => {
    const cache = new EncodedKeys()
    for (let index = 0; index < 1024; index++) expect(cache.find(`key ${index}`)).not.to.equal(undefined)
    expect(cache.find('one more')).to.equal(undefined)
    expect(cache.find('key 0')).to.have.property('key', 'key 0')
  })

  it('takes new keys again when a program has turned to other objects', () => {
    const cache = new EncodedKeys()
    for (let index = 0; index < 1024; index++) cache.find(`old ${index}`)
    let lookUps = 0
    while (!cache.find('new')) lookUps++
    expect(lookUps).to.be.within(10_000, 200_000)
    expect(cache.find('new')).to.have.property('key', 'new')
  })
})
