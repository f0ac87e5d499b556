import { expect } from 'chai'
import { StreamBuffer } from '../../src/events/stream-buffer'
import { AbortError, RemoteDisconnected } from '../../src/model/errors'
import { type Reply, ReplyStream } from '../../src/requests/reply-stream'
import { rejection } from '../support/rejection'

const DONE = { done: true, value: undefined }

describe('ReplyStream', () => {
  let inbox: StreamBuffer<Reply<number>>
  let givenUp: number
  let replies: ReplyStream<number>

  beforeEach(() => {
    inbox = new StreamBuffer()
    givenUp = 0
    replies = new ReplyStream(inbox, () => void givenUp++)
  })

  it('gives the replies as they come, failures among them, and gives nothing up at the end', async () => {
    const error = new RemoteDisconnected('gone')
    inbox.push({ origin: 'a', payload: 1 })
    inbox.push({ origin: 'b', error })
    inbox.end()
    const seen: unknown[] = []
    for await (const reply of replies) seen.push(reply)
    expect(seen).to.deep.equal([
      { origin: 'a', payload: 1 },
      { origin: 'b', error },
    ])
    expect(givenUp).to.equal(0)
  })

  it('gives up what is missing when a loop breaks, and drops what has not been read', async () => {
    inbox.push({ origin: 'a', payload: 1 })
    inbox.push({ origin: 'b', payload: 2 })
    for await (const { origin } of replies) {
      expect(origin).to.equal('a')
      break
    }
    expect(givenUp).to.equal(1)
    expect(inbox.isOpen).to.equal(false)
    expect(await replies.next()).to.deep.equal(DONE)
  })

  it('gives up what is missing when a loop throws', async () => {
    inbox.push({ origin: 'a', payload: 1 })
    const loop = async () => {
      for await (const { origin } of replies) throw new AbortError(origin)
    }
    expect(await rejection(loop())).to.have.property('message', 'a')
    expect(givenUp).to.equal(1)
  })

  it('gives up what is missing when it is disposed of', async () => {
    {
      await using disposed = replies
      expect(disposed[Symbol.asyncIterator]()).to.equal(replies)
      expect(givenUp).to.equal(0)
    }
    expect(givenUp).to.equal(1)
    expect(await replies.return()).to.deep.equal(DONE)
  })

  it('fails once, and gives nothing up', async () => {
    const error = new AbortError('enough')
    inbox.fail(error)
    expect(await rejection(replies.next())).to.equal(error)
    expect(await replies.next()).to.deep.equal(DONE)
    expect(givenUp).to.equal(0)
  })
})
