import { expect } from 'chai'
import { SLAB_BYTES, Slabs } from '../../src/wire/slabs'

describe('Slabs', () => {
  it('reuses a slab when its last pin is gone, and not before', () => {
    const slabs = new Slabs()
    const slab = slabs.take()
    slabs.pin(slab)
    slabs.unpin(slab)
    expect(slabs.take().buffer).not.to.equal(slab.buffer)
    slabs.unpin(slab)
    expect(slabs.take().buffer).to.equal(slab.buffer)
  })

  it('counts pins by any view of a slab', () => {
    const slabs = new Slabs()
    const slab = slabs.take()
    slabs.pin(slab.subarray(10, 20))
    slabs.unpin(slab)
    expect(slabs.take().buffer).not.to.equal(slab.buffer)
    slabs.unpin(slab.subarray(30))
    expect(slabs.take().buffer).to.equal(slab.buffer)
  })

  it('never reuses a discarded slab', () => {
    const slabs = new Slabs()
    const slab = slabs.take()
    slabs.discard(slab.subarray(0, 10))
    slabs.unpin(slab)
    expect(slabs.take().buffer).not.to.equal(slab.buffer)
  })

  it('ignores pins of buffers that are not slabs', () => {
    const slabs = new Slabs()
    const other = Buffer.allocUnsafeSlow(SLAB_BYTES)
    slabs.pin(other)
    slabs.unpin(other)
    expect(slabs.take().buffer).not.to.equal(other.buffer)
  })

  it('keeps at most 2 MiB of unused slabs', () => {
    const slabs = new Slabs()
    const taken = Array.from({ length: 100 }, () => slabs.take())
    for (const slab of taken) slabs.unpin(slab)
    const again = new Set(Array.from({ length: 100 }, () => slabs.take().buffer))
    expect(taken.filter(({ buffer }) => again.has(buffer))).to.have.length(32)
  })

  it('reuses the buffer of a large frame only for a frame of similar size', () => {
    const slabs = new Slabs()
    const large = slabs.take(100_000)
    expect(large).to.have.length(100_000)
    slabs.pin(large)
    slabs.unpin(large)
    expect(slabs.take(100_001).buffer).not.to.equal(large.buffer)
    slabs.unpin(large.subarray(7))
    expect(slabs.take().buffer).not.to.equal(large.buffer)
    expect(slabs.take(200_000).buffer).not.to.equal(large.buffer)
    const other = slabs.take(100_001)
    expect(other.buffer).to.equal(large.buffer)
    expect(other).to.have.length(100_001)
  })
})
