import { expect } from 'chai'
import { freshBus } from '../support/bus'

const MARK = 1024 * 1024

/** Bytes; two events are over the high-water mark. */
const LARGE = Buffer.alloc(900_000)

describe('Endpoint.broadcastNowait with large events', () => {
  const bus = freshBus()

  it('returns false as soon as the outbox is over the high-water mark, as with small events (G7)', async () => {
    const a = await bus.start('a')
    const b = await bus.start('b')
    await b.subscribe('large', () => {}).ready
    const queuedBytes = () => a.peers[0]?.queuedBytes ?? 0
    const answers = [1, 2, 3, 4].map(() => `${a.broadcastNowait('large', LARGE)} ${queuedBytes() <= MARK}`)
    expect(answers).to.deep.equal(['true true', 'false false', 'false false', 'false false'])
  })
})
