import { expect } from 'chai'
import { DialQueue, type Priority, type Turn } from '../../src/mesh/dial-queue'
import { turn as untilNextTurn } from '../support/workbench'

describe('DialQueue', () => {
  /** Enters sockets. `turns` are those that have begun, by key, in the order in which they began. */
  function entered(limit: number, ...sockets: [key: string, priority: Priority][]) {
    const queue = new DialQueue(limit)
    const turns: [key: string, turn: Turn][] = []
    for (const [key, priority] of sockets) void queue.enter(key, priority).then((turn) => turns.push([key, turn]))
    return {
      turns,
      /** The keys whose turns have begun. */
      async keys() {
        await untilNextTurn()
        return turns.map(([key]) => key)
      },
    }
  }

  it('lets a number of sockets be dialled at a time, in the order of their priorities', async () => {
    const { keys, turns } = entered(
      1,
      ['first', 'silent'],
      ['silent', 'silent'],
      ['foreign', 'foreign'],
      ['own', 'own'],
      ['known', 'known'],
    )
    for (const expected of ['first', 'known', 'own', 'foreign', 'silent']) {
      expect((await keys()).at(-1)).to.equal(expected)
      turns.at(-1)?.[1].end()
    }
  })

  it('lets one socket be dialled under one address at a time', async () => {
    const { keys, turns } = entered(3, ['a', 'own'], ['a', 'known'], ['b', 'silent'])
    expect(await keys()).to.deep.equal(['a', 'b'])
    turns[0]?.[1].end()
    expect(await keys()).to.deep.equal(['a', 'b', 'a'])
  })

  it('gives the place of a socket that rests to others, but not to other addresses of it', async () => {
    const { keys, turns } = entered(1, ['a', 'own'], ['a', 'own'], ['b', 'own'])
    expect(await keys()).to.deep.equal(['a'])
    turns[0]?.[1].rest()
    expect(await keys()).to.deep.equal(['a', 'b'])
    turns[1]?.[1].end()
    expect(await keys()).to.deep.equal(['a', 'b'])
    turns[0]?.[1].end()
    expect(await keys()).to.deep.equal(['a', 'b', 'a'])
  })

  it('gives a place back once, however often a turn is ended', async () => {
    const { keys, turns } = entered(1, ['a', 'own'], ['a', 'own'], ['a', 'own'])
    await keys()
    for (const end of ['rest', 'end', 'end', 'rest'] as const) turns[0]?.[1][end]()
    expect(await keys()).to.deep.equal(['a', 'a'])
  })
})
