import { expect } from 'chai'
import fc from 'fast-check'
import { StreamBuffer } from '../../src/events/stream-buffer'
import { AbortError, EndpointClosed } from '../../src/model/errors'
import { rejection } from '../support/rejection'

const DONE = { done: true, value: undefined }
const got = (value: unknown) => ({ done: false, value })

describe('Inbox', () => {
  let inbox: StreamBuffer<number>

  beforeEach(() => {
    inbox = new StreamBuffer()
  })

  it('gives items in order, those that came before they were asked for and those that came after', async () => {
    inbox.push(1)
    inbox.push(2)
    const reads = [inbox.next(), inbox.next(), inbox.next(), inbox.next()]
    inbox.push(3)
    inbox.push(4)
    expect(await Promise.all(reads)).to.deep.equal([1, 2, 3, 4].map(got))
  })

  it('gives every item once and in order, whatever the order of reads and pushes, and then ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), fc.boolean(), async (steps, endsAtOnce) => {
        const inbox = new StreamBuffer<number>()
        const reads: Promise<unknown>[] = []
        let pushed = 0
        for (const isPush of steps) {
          if (isPush) inbox.push(pushed++)
          else reads.push(inbox.next())
        }
        if (endsAtOnce) inbox.end()
        while (reads.length < pushed) reads.push(inbox.next())
        inbox.end()
        reads.push(inbox.next())
        const items = Array.from({ length: pushed }, (_, index) => got(index))
        const ends = Array<unknown>(reads.length - pushed).fill(DONE)
        expect(await Promise.all(reads)).to.deep.equal([...items, ...ends])
      }),
    )
  })

  describe('that has ended', () => {
    it('gives what had arrived, and then the end, as often as it is asked', async () => {
      inbox.push(1)
      inbox.end()
      expect(inbox.isOpen).to.equal(false)
      inbox.push(2)
      const results = await Promise.all([inbox.next(), inbox.next(), inbox.next()])
      expect(results).to.deep.equal([got(1), DONE, DONE])
    })

    it('ends everyone who waits', async () => {
      const reads = [inbox.next(), inbox.next()]
      inbox.end()
      inbox.end()
      expect(await Promise.all(reads)).to.deep.equal([DONE, DONE])
    })

    it('cannot fail any more', async () => {
      inbox.push(1)
      inbox.end()
      inbox.fail(new EndpointClosed('late'))
      expect(await inbox.next()).to.deep.equal(got(1))
      expect(await inbox.next()).to.deep.equal(DONE)
    })
  })

  describe('that has failed', () => {
    const error = new AbortError('enough')

    it('drops what had arrived, rejects once, and ends', async () => {
      inbox.push(1)
      inbox.fail(error)
      inbox.push(2)
      expect(inbox.isOpen).to.equal(false)
      expect(await rejection(inbox.next())).to.equal(error)
      expect(await inbox.next()).to.deep.equal(DONE)
    })

    it('rejects everyone who waits, and nobody later', async () => {
      const reads = [inbox.next(), inbox.next()]
      inbox.fail(error)
      for (const read of reads) expect(await rejection(read)).to.equal(error)
      expect(await inbox.next()).to.deep.equal(DONE)
    })

    it('keeps its first error, also when it is ended', async () => {
      inbox.fail(error)
      inbox.fail(new EndpointClosed('second'))
      inbox.end()
      expect(await rejection(inbox.next())).to.equal(error)
    })
  })

  describe('that is discarded', () => {
    it('drops what had arrived, and ends', async () => {
      inbox.push(1)
      inbox.discard()
      inbox.push(2)
      expect(await inbox.next()).to.deep.equal(DONE)
    })

    it('drops also what had arrived before its end', async () => {
      inbox.push(1)
      inbox.end()
      inbox.discard()
      expect(await inbox.next()).to.deep.equal(DONE)
    })

    it('ends everyone who waits', async () => {
      const read = inbox.next()
      inbox.discard()
      expect(await read).to.deep.equal(DONE)
    })
  })
})
