import { expect } from 'chai'
import { Settlements } from '../../src/events/settlements'
import { ManualClock } from '../support/manual-clock'
import { RecordingChannel } from '../support/recording-channel'

describe('Settlements', () => {
  let clock: ManualClock
  let settlements: Settlements
  let till: RecordingChannel
  let desk: RecordingChannel

  beforeEach(() => {
    clock = new ManualClock()
    settlements = new Settlements(clock)
    till = new RecordingChannel('till')
    desk = new RecordingChannel('desk')
  })

  it('are told once for all of a turn, to each sender its own', () => {
    for (const channel of [till, desk, till, till]) settlements.add(channel)
    expect([till.told, desk.told]).to.deep.equal([[], []])
    clock.turn()
    expect(till.takeTold()).to.deep.equal([{ kind: 'settle', count: 3 }])
    expect(desk.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
  })

  it('begin anew in each turn', () => {
    settlements.add(till)
    clock.turn()
    clock.turn()
    settlements.add(till)
    settlements.add(till)
    clock.turn()
    expect(till.takeTold()).to.deep.equal([1, 2].map((count) => ({ kind: 'settle', count })))
    expect(desk.told).to.deep.equal([])
  })

  it('can be told before the turn is over, and are not told again', () => {
    settlements.add(till)
    settlements.flush()
    expect(till.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
    settlements.add(till)
    settlements.flush()
    settlements.flush()
    clock.turn()
    expect(till.takeTold()).to.deep.equal([{ kind: 'settle', count: 1 }])
  })
})
