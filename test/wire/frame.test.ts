import { expect } from 'chai'
import fc from 'fast-check'
import { FrameReader } from '../../src/wire/frame'
import { frameAround } from '../support/frame-bytes'
import { violation } from '../support/violation'

const MEBIBYTE = 1024 * 1024

/** The prefix of a frame with a body of this length. */
function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length, 0)
  return bytes
}

/** A reader, and copies of the bodies that it has passed on. */
function collecting(limit: number) {
  const bodies: Buffer[] = []
  const reader = new FrameReader(limit, (bytes, start, end) => bodies.push(Buffer.from(bytes.subarray(start, end))))
  return { reader, bodies }
}

/** Cuts bytes into pieces of the given sizes, taken in turn. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    yield Buffer.from(bytes.subarray(at, at + size))
    at += size
  }
}

describe('FrameReader', () => {
  describe('splitting', () => {
    const someBodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 20 })
    const someSizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 })

    it('passes on whole frames in order, wherever the chunks end', () => {
      fc.assert(
        fc.property(someBodies, someSizes, (sent, sizes) => {
          const { reader, bodies } = collecting(300)
          for (const chunk of cut(Buffer.concat(sent.map(frameAround)), sizes)) {
            reader.push(chunk)
            // The socket may reuse the memory of a chunk.
            chunk.fill(0xff)
          }
          expect(bodies).to.deep.equal(sent.map((body) => Buffer.from(body)))
          expect(reader.heldBytes).to.equal(0)
        }),
        { numRuns: 500 },
      )
    })

    it('finds frames in a stream of single bytes', () => {
      const { reader, bodies } = collecting(16)
      const stream = Buffer.concat([frameAround(Buffer.from('one')), frameAround(Buffer.from('three'))])
      for (const byte of stream) reader.push(Buffer.from([byte]))
      expect(bodies.map(String)).to.deep.equal(['one', 'three'])
    })

    it('passes on a frame only with its last byte', () => {
      const { reader, bodies } = collecting(16)
      const frame = frameAround(Buffer.from('four'))
      for (let at = 0; at < frame.length; at++) {
        expect(bodies, `after ${at} bytes`).to.deep.equal([])
        expect(reader.heldBytes).to.equal(at)
        reader.push(frame.subarray(at, at + 1))
      }
      expect(bodies.map(String)).to.deep.equal(['four'])
    })

    it('passes on a frame within one chunk in place', () => {
      const chunk = Buffer.concat([frameAround(Buffer.from('a')), frameAround(Buffer.from('bc'))])
      const places: [boolean, number, number][] = []
      new FrameReader(16, (bytes, start, end) => places.push([bytes === chunk, start, end])).push(chunk)
      expect(places).to.deep.equal([
        [true, 4, 5],
        [true, 9, 11],
      ])
    })

    it('ignores an empty chunk', () => {
      const { reader, bodies } = collecting(16)
      const frame = frameAround(Buffer.from('x'))
      const empty = Buffer.alloc(0)
      for (const chunk of [empty, frame.subarray(0, 2), empty, frame.subarray(2), empty]) reader.push(chunk)
      expect(bodies.map(String)).to.deep.equal(['x'])
    })

    it('continues behind a frame that spanned chunks, in the same chunk', () => {
      const { reader, bodies } = collecting(16)
      const stream = Buffer.concat(['ab', 'cd', 'ef'].map((text) => frameAround(Buffer.from(text))))
      reader.push(stream.subarray(0, 5))
      reader.push(stream.subarray(5, 14))
      expect(bodies.map(String)).to.deep.equal(['ab', 'cd'])
      expect(reader.heldBytes).to.equal(2)
      reader.push(stream.subarray(14))
      expect(bodies.map(String)).to.deep.equal(['ab', 'cd', 'ef'])
    })
  })

  describe('limit', () => {
    it('accepts a body of exactly the limit', () => {
      const { reader, bodies } = collecting(10)
      reader.push(frameAround(Buffer.alloc(10, 'x')))
      expect(bodies.map(String)).to.deep.equal(['x'.repeat(10)])
    })

    for (const length of [11, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      it(`rejects a length of ${length} over a limit of 10 at once, and holds nothing`, () => {
        const { reader, bodies } = collecting(10)
        expect(violation(() => reader.push(Buffer.concat([prefix(length), Buffer.alloc(100)])))).to.equal(
          'frame-too-large',
        )
        expect(reader.heldBytes).to.equal(0)
        expect(bodies).to.deep.equal([])
      })

      it(`rejects a length of ${length} in a split prefix, and holds only the prefix`, () => {
        for (const at of [1, 2, 3]) {
          const { reader, bodies } = collecting(10)
          const bytes = Buffer.concat([prefix(length), Buffer.alloc(100)])
          reader.push(bytes.subarray(0, at))
          expect(violation(() => reader.push(bytes.subarray(at)))).to.equal('frame-too-large')
          expect(reader.heldBytes).to.be.at.most(4)
          expect(bodies).to.deep.equal([])
        }
      })
    }

    it('rejects a length as soon as the prefix is complete', () => {
      const { reader } = collecting(10)
      expect(violation(() => reader.push(prefix(11)))).to.equal('frame-too-large')
    })

    it('passes on the valid frames before one that is too large', () => {
      const { reader, bodies } = collecting(10)
      const chunk = Buffer.concat([frameAround(Buffer.from('good')), prefix(11)])
      expect(violation(() => reader.push(chunk))).to.equal('frame-too-large')
      expect(bodies.map(String)).to.deep.equal(['good'])
    })

    it('names the limit and the length in the error', () => {
      const { reader } = collecting(10)
      expect(() => reader.push(prefix(11))).to.throw('frame-too-large: expected at most 10 bytes, got a length of 11')
    })

    it('rejects a length of zero, in one chunk or split', () => {
      expect(violation(() => collecting(10).reader.push(prefix(0)))).to.equal('frame-empty')
      const { reader } = collecting(10)
      reader.push(prefix(0).subarray(0, 3))
      expect(violation(() => reader.push(prefix(0).subarray(3)))).to.equal('frame-empty')
    })

    it('can change between two frames of one chunk', () => {
      const bodies: number[] = []
      const reader = new FrameReader(5, (_, start, end) => {
        bodies.push(end - start)
        reader.limit = bodies.length === 1 ? 20 : 5
      })
      const [small, large] = [frameAround(Buffer.alloc(5)), frameAround(Buffer.alloc(20))]
      expect(violation(() => reader.push(Buffer.concat([small, large, large])))).to.equal('frame-too-large')
      expect(bodies).to.deep.equal([5, 20])
    })
  })

  describe('memory', () => {
    it('grows with the bytes that arrive, not with the length in the prefix', () => {
      const before = process.memoryUsage().arrayBuffers
      const readers = Array.from({ length: 100 }, () => collecting(64 * MEBIBYTE).reader)
      for (const reader of readers) {
        reader.push(prefix(64 * MEBIBYTE))
        reader.push(Buffer.alloc(100))
      }
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(MEBIBYTE)
      for (const reader of readers) expect(reader.heldBytes).to.equal(104)
    })

    it('is released when a frame has been passed on', () => {
      const { reader, bodies } = collecting(MEBIBYTE)
      const frame = frameAround(Buffer.alloc(MEBIBYTE, 7))
      reader.push(frame.subarray(0, 500_000))
      expect(reader.heldBytes).to.equal(500_000)
      reader.push(frame.subarray(500_000))
      expect(reader.heldBytes).to.equal(0)
      expect(bodies).to.have.lengthOf(1)
      expect(bodies[0]?.equals(frame.subarray(4))).to.equal(true)
    })

    it('is a buffer of its own for a frame that spans chunks, passed on as own', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 900_000 }), fc.integer({ min: 1, max: 70_000 }), (size, piece) => {
          const owned: [isOwn: boolean, unused: number][] = []
          const reader = new FrameReader(MEBIBYTE, (bytes, _, end, isOwn) => owned.push([isOwn, bytes.length - end]))
          const frame = frameAround(Buffer.alloc(size))
          for (const chunk of cut(Buffer.concat([frame, frame]), [piece])) reader.push(chunk)
          const isInOneChunk = frame.length <= piece
          expect(owned).to.have.lengthOf(2)
          if (!isInOneChunk) expect(owned[0]).to.deep.equal([true, 0])
          for (const [isOwn, unused] of owned) expect(isOwn && unused > 0).to.equal(false)
        }),
        { numRuns: 100 },
      )
    })

    it('is not reused after a frame that spanned chunks', () => {
      const kept: Buffer[] = []
      const reader = new FrameReader(16, (bytes, start, end) => kept.push(bytes.subarray(start, end)))
      for (const text of ['first', 'other']) {
        const frame = frameAround(Buffer.from(text))
        reader.push(frame.subarray(0, 6))
        reader.push(frame.subarray(6))
      }
      expect(kept.map(String)).to.deep.equal(['first', 'other'])
    })
  })

  describe('stop', () => {
    const stream = Buffer.concat(['a', 'b', 'c'].map((text) => frameAround(Buffer.from(text))))

    function stoppingAfterOne() {
      const bodies: string[] = []
      const reader = new FrameReader(16, (bytes, start, end) => {
        bodies.push(bytes.toString('utf8', start, end))
        reader.stop()
      })
      return { reader, bodies }
    }

    it('passes on no more frames of the current chunk', () => {
      const { reader, bodies } = stoppingAfterOne()
      reader.push(stream)
      expect(bodies).to.deep.equal(['a'])
      expect(reader.heldBytes).to.equal(0)
    })

    it('passes on no more frames after one that spanned chunks', () => {
      const { reader, bodies } = stoppingAfterOne()
      reader.push(stream.subarray(0, 3))
      reader.push(stream.subarray(3, 12))
      expect(bodies).to.deep.equal(['a'])
      expect(reader.heldBytes).to.equal(0)
    })

    it('ignores all later chunks, even invalid ones', () => {
      const { reader, bodies } = stoppingAfterOne()
      reader.push(stream)
      for (const chunk of [stream, stream.subarray(0, 3), prefix(0), prefix(2 ** 32 - 1)]) reader.push(chunk)
      expect(bodies).to.deep.equal(['a'])
      expect(reader.heldBytes).to.equal(0)
    })

    it('releases an incomplete frame', () => {
      const { reader, bodies } = collecting(16)
      reader.push(stream.subarray(0, 4))
      reader.stop()
      reader.push(stream.subarray(4))
      expect(reader.heldBytes).to.equal(0)
      expect(bodies).to.deep.equal([])
    })
  })
})
