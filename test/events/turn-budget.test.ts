import { expect } from 'chai'
import { TurnBudget } from '../../src/events/turn-budget'
import { SLAB_BYTES } from '../../src/wire/slabs'
import { ManualClock } from '../support/manual-clock'

describe('TurnBudget', () => {
  let clock: ManualClock
  let turn: TurnBudget
  let calls: string[]

  beforeEach(() => {
    clock = new ManualClock()
    turn = new TurnBudget(clock, SLAB_BYTES)
    calls = []
  })

  /** A call that takes so many milliseconds, and leaves as many others to later as there are times. */
  const work = (name: string, milliseconds: number, times = 0) => {
    turn.handleLater(() => {
      calls.push(name)
      clock.advance(milliseconds)
      if (times > 0) work(name, milliseconds, times - 1)
    })
  }

  it('calls what was left to the next turn there, in order', () => {
    for (const name of ['a', 'b', 'c']) work(name, 1)
    expect(calls).to.deep.equal([])
    clock.turn()
    expect(calls).to.deep.equal(['a', 'b', 'c'])
  })

  it('lets each of several that always have more take their turn', () => {
    work('a', 10, 2)
    work('b', 10, 2)
    clock.turn()
    expect(calls).to.deep.equal(['a', 'b', 'a', 'b', 'a', 'b'])
  })

  it('calls the others although one of them throws', () => {
    turn.handleLater(() => {
      throw new Error('a mistake')
    })
    work('b', 1)
    expect(() => clock.turn()).to.throw('a mistake')
    clock.turn()
    expect(calls).to.deep.equal(['b'])
  })
})
