import { expect } from 'chai'
import { WorkTime } from '../../src/queues/work-time'

describe('WorkTime', () => {
  function handle(work: WorkTime, events: number): void {
    for (let event = 0; event < events; event++) work.onHandled()
  }

  it('samples the events that were handled, and the time in which there were some', () => {
    const work = new WorkTime()
    work.onBegun(100)
    handle(work, 3)
    expect(work.sample(106, false)).to.deep.equal({ events: 3, elapsed: 6 })
    handle(work, 2)
    expect(work.sample(110, false)).to.deep.equal({ events: 2, elapsed: 4 })
  })

  it('counts no time after the last event is done, nor before the next one begins', () => {
    const work = new WorkTime()
    for (const [begun, done, look] of [
      [100, 102, 150],
      [200, 205, 210],
    ] as const) {
      work.onBegun(begun)
      handle(work, 1)
      work.onDone(done, begun)
      expect(work.sample(look, true)).to.deep.equal({ events: 1, elapsed: done - begun })
    }
  })

  it('goes on where nothing was handled: the time counts for the next events', () => {
    const work = new WorkTime()
    work.onBegun(100)
    expect(work.sample(150, false)).to.equal(undefined)
    expect(work.elapsed(160)).to.equal(60)
    handle(work, 1)
    expect(work.sample(170, false)).to.deep.equal({ events: 1, elapsed: 70 })
    expect(work.elapsed(171)).to.equal(1)
  })

  it('takes no sample shorter than an event: those that begin together end together', () => {
    const work = new WorkTime()
    work.onBegun(100)
    handle(work, 3)
    work.onDone(120, 100)
    expect(work.sample(120, false)).to.deep.equal({ events: 3, elapsed: 20 })
    handle(work, 7)
    work.onDone(121, 100)
    expect(work.sample(121, true)).to.equal(undefined)
    work.onBegun(130)
    handle(work, 10)
    work.onDone(151, 130)
    expect(work.sample(151, true)).to.deep.equal({ events: 17, elapsed: 22 })
  })
})
