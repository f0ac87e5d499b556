import { expect } from 'chai'
import fc from 'fast-check'
import { countFrames, cutAfter, frameEnd, framesOf, PREFIX_BYTES } from '../../src/wire/frame'

/** Frames with bodies of these sizes, back to back within a larger buffer. */
function runOf(sizes: readonly number[], before = 7) {
  const total = sizes.reduce((sum, size) => sum + PREFIX_BYTES + size, 0)
  const bytes = Buffer.alloc(before + total + 5, 0xff)
  let end = before
  for (const size of sizes) {
    bytes.writeUInt32BE(size, end)
    end += PREFIX_BYTES + size
  }
  return { bytes, start: before, end }
}

describe('a run of frames', () => {
  it('has its frames, their number and their ends', () => {
    const run = runOf([1, 20, 300])
    const places = [...framesOf(run)].map(({ start, end }) => `${start} to ${end}`)
    expect(places).to.deep.equal(['7 to 12', '12 to 36', '36 to 340'])
    for (const frame of framesOf(run)) expect(frame.bytes).to.equal(run.bytes)
    expect(countFrames(run)).to.equal(3)
    expect(frameEnd(run.bytes, 12)).to.equal(36)
  })

  it('can be empty', () => {
    const run = runOf([])
    expect([...framesOf(run)]).to.deep.equal([])
    expect(countFrames(run)).to.equal(0)
    expect(cutAfter(run, 10)).to.equal(run.start)
  })

  it('is cut at the end of the first frame that reaches the wanted bytes', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(sizes, fc.nat(1200), (sizes, wanted) => {
        const run = runOf(sizes)
        const ends = [run.start, ...[...framesOf(run)].map(({ end }) => end)]
        const expected = ends.find((end) => end - run.start >= wanted) ?? run.end
        expect(cutAfter(run, wanted)).to.equal(expected)
      }),
    )
  })
})
