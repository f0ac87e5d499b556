import { expect } from 'chai'
import fc from 'fast-check'
import { Desk } from '../../src/wire/desk'

const SIZE = 180

/** Pieces of a chunk, in any order and of any valid size. */
const pieces = fc.array(fc.tuple(fc.nat(30_000), fc.integer({ min: 0, max: SIZE })), { maxLength: 50 })

describe('Desk', () => {
  const chunkOf = (first: number) => Buffer.from(Uint8Array.from({ length: 30_500 }, (_, index) => first + index * 7))

  it('has each piece of a chunk at its beginning, in any order', () => {
    fc.assert(
      fc.property(pieces, (pieces) => {
        const desk = new Desk(SIZE)
        const chunk = chunkOf(1)
        for (const [start, length] of pieces) {
          desk.put(chunk, start, start + length)
          expect(desk.bytes.subarray(0, length).equals(chunk.subarray(start, start + length))).to.equal(true)
        }
      }),
    )
  })

  it('takes pieces up to the last byte of a chunk, and of two chunks in turns', () => {
    const desk = new Desk(SIZE)
    for (let turn = 0; turn < 3; turn++) {
      for (const chunk of [chunkOf(1), chunkOf(2)]) {
        desk.put(chunk, chunk.length - SIZE, chunk.length)
        expect(desk.bytes.subarray(0, SIZE)).to.deep.equal(chunk.subarray(-SIZE))
      }
    }
  })

  it('takes a whole chunk as one piece, and the chunk may change at once', () => {
    const desk = new Desk(SIZE)
    const chunk = chunkOf(1)
    const small = chunkOf(3).subarray(0, 100)
    desk.put(chunk, 50, 150)
    desk.put(small, 0, 100)
    expect(desk.bytes.subarray(0, 100)).to.deep.equal(small)
    small.fill(9)
    desk.put(small, 0, 100)
    expect(desk.bytes.subarray(0, 100)).to.deep.equal(small)
    desk.put(chunk, 150, 250)
    expect(desk.bytes.subarray(0, 100)).to.deep.equal(chunk.subarray(150, 250))
  })

  it('takes a piece of a changed chunk after it was cleared', () => {
    const desk = new Desk(SIZE)
    const chunk = chunkOf(1)
    desk.put(chunk, 0, SIZE)
    desk.clear()
    chunk.fill(9)
    desk.put(chunk, SIZE, 2 * SIZE)
    expect(desk.bytes.subarray(0, SIZE)).to.deep.equal(Buffer.alloc(SIZE, 9))
  })
})
