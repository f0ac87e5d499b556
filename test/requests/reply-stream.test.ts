import { expect } from 'chai'
import { StreamBuffer } from '../../src/events/stream-buffer'
import { AbortError, RemoteDisconnected } from '../../src/model/errors'
import { type Reply, ReplyStream } from '../../src/requests/reply-stream'
import { rejection } from '../support/rejection'

const DONE = { done: true, value: undefined }

describe('ReplyStream', () => {
  let buffer: StreamBuffer<Reply<number>>
  let givenUp: number
  let replies: ReplyStream<number>

  beforeEach(() => {
    buffer = new StreamBuffer()
    givenUp = 0
    replies = new ReplyStream(buffer, () => void givenUp++)
  })

  it('yields replies as they arrive, including failures, and cancels nothing at the end', async () => {
    const error = new RemoteDisconnected('gone')
    buffer.push({ origin: 'a', payload: 1 })
    buffer.push({ origin: 'b', error })
    buffer.end()
    const seen: unknown[] = []
    for await (const reply of replies) seen.push(reply)
    expect(seen).to.deep.equal([
      { origin: 'a', payload: 1 },
      { origin: 'b', error },
    ])
    expect(givenUp).to.equal(0)
  })

  it('cancels the remaining requests on break, and drops unread replies', async () => {
    buffer.push({ origin: 'a', payload: 1 })
    buffer.push({ origin: 'b', payload: 2 })
    for await (const { origin } of replies) {
      expect(origin).to.equal('a')
      break
    }
    expect(givenUp).to.equal(1)
    expect(buffer.isOpen).to.equal(false)
    expect(await replies.next()).to.deep.equal(DONE)
  })

  it('cancels the remaining requests when the loop throws', async () => {
    buffer.push({ origin: 'a', payload: 1 })
    const loop = async () => {
      for await (const { origin } of replies) throw new AbortError(origin)
    }
    expect(await rejection(loop())).to.have.property('message', 'a')
    expect(givenUp).to.equal(1)
  })

  it('cancels the remaining requests when it is disposed', async () => {
    {
      await using disposed = replies
      expect(disposed[Symbol.asyncIterator]()).to.equal(replies)
      expect(givenUp).to.equal(0)
    }
    expect(givenUp).to.equal(1)
    expect(await replies.return()).to.deep.equal(DONE)
  })

  it('throws once, and cancels nothing', async () => {
    const error = new AbortError('enough')
    buffer.fail(error)
    expect(await rejection(replies.next())).to.equal(error)
    expect(await replies.next()).to.deep.equal(DONE)
    expect(givenUp).to.equal(0)
  })
})
