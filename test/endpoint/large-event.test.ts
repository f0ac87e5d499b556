import { expect } from 'chai'
import { freshBus } from '../support/bus'

const MARK = 1024 * 1024

/** Two of them are over the mark. */
const LARGE = Buffer.alloc(900_000)

describe('large events in a row', () => {
  const bus = freshBus()

  it('say false as soon as one is over the mark, as small ones do (G7)', async () => {
    const a = await bus.start('a')
    const b = await bus.start('b')
    await b.subscribe('large', () => {}).ready
    const queuedBytes = () => a.peers[0]?.queuedBytes ?? 0
    const answers = [1, 2, 3, 4].map(() => [a.broadcastNowait('large', LARGE), queuedBytes() <= MARK])
    expect(answers).to.deep.equal([
      [true, true],
      [false, false],
      [false, false],
      [false, false],
    ])
  })
})
