import { expect } from 'chai'
import { WorkTime } from '../../src/queues/work-time'

describe('WorkTime', () => {
  it('counts the events that were handled since the last count, and the time in which there were some', () => {
    const work = new WorkTime()
    work.onBegun(100)
    for (let event = 0; event < 3; event++) work.onHandled()
    expect(work.count(106, false)).to.deep.equal({ events: 3, elapsed: 6 })
    for (let event = 0; event < 2; event++) work.onHandled()
    expect(work.count(110, false)).to.deep.equal({ events: 2, elapsed: 4 })
  })

  it('counts no time after the last event is done, nor before the next one begins', () => {
    const work = new WorkTime()
    work.onBegun(100)
    work.onHandled()
    work.onDone(102)
    expect(work.count(150, true)).to.deep.equal({ events: 1, elapsed: 2 })
    work.onBegun(200)
    work.onHandled()
    work.onDone(205)
    expect(work.count(210, true)).to.deep.equal({ events: 1, elapsed: 5 })
  })

  it('goes on where nothing was handled: the time counts for the next events', () => {
    const work = new WorkTime()
    work.onBegun(100)
    expect(work.count(150, false)).to.deep.equal({ events: 0, elapsed: 50 })
    expect(work.elapsed(160)).to.equal(60)
    work.onHandled()
    expect(work.count(170, false)).to.deep.equal({ events: 1, elapsed: 70 })
    expect(work.elapsed(171)).to.equal(1)
  })
})
