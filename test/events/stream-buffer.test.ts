import { expect } from 'chai'
import fc from 'fast-check'
import { StreamBuffer } from '../../src/events/stream-buffer'
import { AbortError, EndpointClosed } from '../../src/model/errors'
import { rejection } from '../support/rejection'

const DONE = { done: true, value: undefined }
const got = (value: unknown) => ({ done: false, value })

describe('StreamBuffer', () => {
  let buffer: StreamBuffer<number>

  beforeEach(() => {
    buffer = new StreamBuffer()
  })

  it('yields items in order, whether pushed before or after the read', async () => {
    buffer.push(1)
    buffer.push(2)
    const reads = [buffer.next(), buffer.next(), buffer.next(), buffer.next()]
    buffer.push(3)
    buffer.push(4)
    expect(await Promise.all(reads)).to.deep.equal([1, 2, 3, 4].map(got))
  })

  it('takes linear time for many reads that wait', function () {
    this.timeout(4000)
    const reads = Array.from({ length: 300_000 }, () => buffer.next())
    for (const index of reads.keys()) buffer.push(index)
    expect(buffer.size).to.equal(0)
  })

  it('yields every item once and in order, whatever the order of reads and pushes, and then ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), fc.boolean(), async (steps, endsAtOnce) => {
        const buffer = new StreamBuffer<number>()
        const reads: Promise<unknown>[] = []
        let pushed = 0
        for (const isPush of steps) {
          if (isPush) buffer.push(pushed++)
          else reads.push(buffer.next())
        }
        if (endsAtOnce) buffer.end()
        while (reads.length < pushed) reads.push(buffer.next())
        buffer.end()
        reads.push(buffer.next())
        const items = Array.from({ length: pushed }, (_, index) => got(index))
        const ends = Array<unknown>(reads.length - pushed).fill(DONE)
        expect(await Promise.all(reads)).to.deep.equal([...items, ...ends])
      }),
    )
  })

  describe('that has ended', () => {
    it('yields the unread items, and then the end, any number of times', async () => {
      buffer.push(1)
      buffer.end()
      expect(buffer.isOpen).to.equal(false)
      buffer.push(2)
      const results = await Promise.all([buffer.next(), buffer.next(), buffer.next()])
      expect(results).to.deep.equal([got(1), DONE, DONE])
    })

    it('ends all waiting reads', async () => {
      const reads = [buffer.next(), buffer.next()]
      buffer.end()
      buffer.end()
      expect(await Promise.all(reads)).to.deep.equal([DONE, DONE])
    })

    it('ignores a later fail', async () => {
      buffer.push(1)
      buffer.end()
      buffer.fail(new EndpointClosed('late'))
      expect(await buffer.next()).to.deep.equal(got(1))
      expect(await buffer.next()).to.deep.equal(DONE)
    })
  })

  describe('that has failed', () => {
    const error = new AbortError('enough')

    it('drops unread items, rejects once, and ends', async () => {
      buffer.push(1)
      buffer.fail(error)
      buffer.push(2)
      expect(buffer.isOpen).to.equal(false)
      expect(await rejection(buffer.next())).to.equal(error)
      expect(await buffer.next()).to.deep.equal(DONE)
    })

    it('rejects all waiting reads, and no later one', async () => {
      const reads = [buffer.next(), buffer.next()]
      buffer.fail(error)
      for (const read of reads) expect(await rejection(read)).to.equal(error)
      expect(await buffer.next()).to.deep.equal(DONE)
    })

    it('keeps its first error, also after end', async () => {
      buffer.fail(error)
      buffer.fail(new EndpointClosed('second'))
      buffer.end()
      expect(await rejection(buffer.next())).to.equal(error)
    })
  })

  describe('that is discarded', () => {
    it('drops unread items, and ends', async () => {
      buffer.push(1)
      buffer.discard()
      buffer.push(2)
      expect(await buffer.next()).to.deep.equal(DONE)
    })

    it('drops unread items also after end', async () => {
      buffer.push(1)
      buffer.end()
      buffer.discard()
      expect(await buffer.next()).to.deep.equal(DONE)
    })

    it('ends all waiting reads', async () => {
      const read = buffer.next()
      buffer.discard()
      expect(await read).to.deep.equal(DONE)
    })
  })
})
