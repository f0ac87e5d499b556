import { expect } from 'chai'
import { type DialPermit, DialQueue, type Priority } from '../../src/mesh/dial-queue'
import { turn as untilNextTurn } from '../support/workbench'

describe('DialQueue', () => {
  /** Enters sockets. `permits` are those that have begun, by key, in the order in which they began. */
  function entered(limit: number, ...sockets: [key: string, priority: Priority][]) {
    const queue = new DialQueue(limit)
    const permits: [key: string, permit: DialPermit][] = []
    for (const [key, priority] of sockets) void queue.enter(key, priority).then((permit) => permits.push([key, permit]))
    return {
      permits,
      /** The keys whose permits have been granted. */
      async keys() {
        await untilNextTurn()
        return permits.map(([key]) => key)
      },
    }
  }

  it('lets a number of sockets be dialled at a time, in the order of their priorities', async () => {
    const { keys, permits } = entered(
      1,
      ['first', 'silent'],
      ['silent', 'silent'],
      ['foreign', 'foreign'],
      ['own', 'own'],
      ['known', 'known'],
    )
    for (const expected of ['first', 'known', 'own', 'foreign', 'silent']) {
      expect((await keys()).at(-1)).to.equal(expected)
      permits.at(-1)?.[1].release()
    }
  })

  it('lets one socket be dialled under one address at a time', async () => {
    const { keys, permits } = entered(3, ['a', 'own'], ['a', 'known'], ['b', 'silent'])
    expect(await keys()).to.deep.equal(['a', 'b'])
    permits[0]?.[1].release()
    expect(await keys()).to.deep.equal(['a', 'b', 'a'])
  })

  it('gives the place of a socket whose slot is released to others, but not to other addresses of it', async () => {
    const { keys, permits } = entered(1, ['a', 'own'], ['a', 'own'], ['b', 'own'])
    expect(await keys()).to.deep.equal(['a'])
    permits[0]?.[1].releaseSlot()
    expect(await keys()).to.deep.equal(['a', 'b'])
    permits[1]?.[1].release()
    expect(await keys()).to.deep.equal(['a', 'b'])
    permits[0]?.[1].release()
    expect(await keys()).to.deep.equal(['a', 'b', 'a'])
  })

  it('gives a place back once, however often a permit is released', async () => {
    const { keys, permits } = entered(1, ['a', 'own'], ['a', 'own'], ['a', 'own'])
    await keys()
    for (const release of ['releaseSlot', 'release', 'release', 'releaseSlot'] as const) permits[0]?.[1][release]()
    expect(await keys()).to.deep.equal(['a', 'a'])
  })
})
