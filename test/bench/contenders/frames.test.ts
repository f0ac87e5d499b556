import { expect } from 'chai'
import fc from 'fast-check'
import { BATCH_BYTES, FrameBatch, FrameReader } from '../../../bench/contenders/frames'

function written(bodies: readonly Buffer[]): Buffer[] {
  const chunks: Buffer[] = []
  const batch = new FrameBatch((bytes) => chunks.push(bytes))
  for (const body of bodies) batch.add(body)
  batch.flush()
  return chunks
}

function read(chunks: readonly Buffer[]): Buffer[] {
  const bodies: Buffer[] = []
  const reader = new FrameReader((bytes, start, end) => bodies.push(bytes.subarray(start, end)))
  for (const chunk of chunks) reader.read(chunk)
  return bodies
}

describe('FrameBatch and FrameReader', () => {
  it('FrameReader reads the frames that FrameBatch wrote, however the stream is split', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 })
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 60 }), (arrays, size) => {
        const sent = arrays.map((array) => Buffer.from(array))
        const stream = Buffer.concat(written(sent))
        const cut = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
          stream.subarray(index * size, (index + 1) * size),
        )
        expect(read(cut)).to.deep.equal(sent)
      }),
    )
  })

  it('FrameBatch writes frames in batches, and a larger frame alone', () => {
    const small = Buffer.alloc(BATCH_BYTES / 2 - 4)
    const large = Buffer.alloc(BATCH_BYTES + 1)
    expect(written([small, small, small, large]).map(({ length }) => length)).to.deep.equal([
      BATCH_BYTES,
      BATCH_BYTES / 2,
      BATCH_BYTES + 5,
    ])
    expect(read(written([small, large, small]))).to.deep.equal([small, large, small])
  })
})
