import { expect } from 'chai'
import { type DecodedKey, DecodedKeys } from '../../src/wire/decoded-keys'

describe('the keys that are read', () => {
  const read = (keys: DecodedKeys, text: string) => keys.read(Buffer.from(text), 0, text.length)

  /** Reads objects of these keys until their shape is known. */
  function learn(keys: DecodedKeys, ...texts: string[]): DecodedKey {
    const [first, ...others] = texts.map((text) => read(keys, text))
    if (!first) return expect.fail('no key')
    for (let times = 0; times < 2; times++) if (keys.shouldLearn(first, texts.length)) keys.learn([first, ...others])
    return first
  }

  it('have shapes again when those of keys that gave way are gone', () => {
    const keys = new DecodedKeys()
    for (let number = 0; number < 20_000; number++) learn(keys, `first-${number}`, 'second')
    expect(learn(keys, 'id', 'name').shapes?.find(2)).not.to.equal(undefined)
  })

  it('have no shape that begins with a key which gave way while the object was read', () => {
    const keys = new DecodedKeys()
    // All have the same place, as the two texts that they are made of have the same hash.
    const alike = Array.from({ length: 2048 }, (_, number) =>
      Array.from({ length: 11 }, (_, bit) => ((number >> bit) & 1 ? 'Aa' : 'BB')).join(''),
    )
    for (const [index, text] of alike.entries()) learn(keys, text, alike[(index + 1) % alike.length] ?? '')
    expect(learn(keys, 'id', 'name').shapes?.find(2)).not.to.equal(undefined)
  })
})
