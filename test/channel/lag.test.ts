import { expect } from 'chai'
import { Lag } from '../../src/channel/lag'
import { RecentTime } from '../../src/channel/recent-time'
import { ManualClock } from '../support/manual-clock'
import { Watched } from '../support/watched'

/** A lag, its clock and what it has said. */
function lagging(limits: { patience?: number; slowShare?: number } = {}) {
  const clock = new ManualClock()
  const said: string[] = []
  const events = {
    lagging: () => said.push(`lagging at ${clock.now()}`),
    slow: () => said.push(`slow at ${clock.now()}`),
  }
  return { clock, said, lag: new Lag(clock, { patience: 1000, slowShare: 1, ...limits }, events) }
}

/** A peer that makes its senders wait 50 ms for each read, so many times, with pauses in which they don't. */
function holdUpSenders(lag: Lag, clock: ManualClock, times: number, pause = 0): void {
  for (let time = 0; time < times; time++) {
    void lag.wait()
    clock.advance(50)
    lag.onRead(1)
    lag.release()
    clock.advance(pause)
  }
}

describe('Lag', () => {
  it('makes senders wait for a peer that reads nothing for patience, once (G8)', async () => {
    const { clock, said, lag } = lagging()
    const waits = [new Watched(lag.wait()), new Watched(lag.wait())]
    clock.advance(999)
    expect(lag.isLagging).to.equal(false)
    clock.advance(1)
    for (const { done } of waits) await done
    expect(said).to.deep.equal(['lagging at 1000'])
    expect(lag.isLagging).to.equal(true)
    expect(lag.waitedMs).to.equal(1000)
  })

  it('begins only after what has arrived during a stall of the process has been read (G8)', () => {
    const { clock, said, lag } = lagging({ patience: 400 })
    void lag.wait()
    for (let stall = 0; stall < 2; stall++) {
      clock.stall(2000)
      lag.onRead(1)
      clock.turn()
    }
    expect(said).to.deep.equal(['slow at 2000'])
    clock.advance(400)
    expect(said).to.deep.equal(['slow at 2000', 'lagging at 4400'])
  })

  it('begins patience anew whenever the peer has read something, and says that it is slow (G8)', () => {
    const { clock, said, lag } = lagging()
    void lag.wait()
    for (let read = 0; read < 50; read++) {
      clock.advance(900)
      lag.onRead(1)
    }
    expect(said).to.deep.equal(['slow at 1000'])
    expect(lag.waitedMs).to.equal(45_000)
    clock.advance(1000)
    expect(said).to.deep.equal(['slow at 1000', 'lagging at 46000'])
  })

  it('adds up short waits of ten seconds to see that a peer is slow, and says so again after a pause', () => {
    const { clock, said, lag } = lagging()
    const holdUp = (times: number) => holdUpSenders(lag, clock, times, 50)
    holdUp(19)
    expect(said).to.deep.equal([])
    holdUp(30)
    expect(said).to.deep.equal(['slow at 1950'])
    clock.advance(20_000)
    holdUp(30)
    expect(said).to.have.length(2)
  })

  it('says that a peer is slow after a second, however high patience is (G8)', () => {
    const { clock, said, lag } = lagging({ patience: 60_000 })
    const holdUp = (times: number) => holdUpSenders(lag, clock, times)
    holdUp(400)
    expect(said).to.deep.equal(['slow at 1000'])
    clock.advance(20_000)
    holdUp(400)
    expect(said).to.deep.equal(['slow at 1000', 'slow at 41000'])
  })

  it('lets a peer hold senders up for no more than slowShare of ten seconds (G8)', () => {
    const { clock, said, lag } = lagging({ slowShare: 0.2 })
    for (let round = 0; round < 3; round++) {
      void lag.wait()
      clock.advance(800)
      lag.onRead(1)
      lag.release()
      clock.advance(200)
    }
    expect(said).to.deep.equal(['slow at 1200', 'lagging at 2400'])
    expect(lag.recover(1000, false), 'when it has read too little').to.equal(false)
    lag.onRead(1000)
    expect(lag.recover(1000, false), 'when it has just held senders up').to.equal(false)
    clock.advance(9000)
    expect(lag.recover(1000, false)).to.equal(true)
    expect(lag.isLagging).to.equal(false)
  })

  it('never waits with a slowShare of 0', () => {
    const { clock, said, lag } = lagging({ slowShare: 0 })
    void lag.wait()
    clock.advance(0)
    expect(said).to.deep.equal(['lagging at 0'])
  })

  it('recovers when the peer has read a window, or when nothing is queued any more (G8)', () => {
    for (const isEmpty of [false, true]) {
      const { clock, lag } = lagging({ patience: 0 })
      expect(lag.recover(1000, true), 'when it does not lag').to.equal(false)
      void lag.wait()
      clock.advance(0)
      lag.onRead(999)
      expect(lag.recover(1000, isEmpty)).to.equal(isEmpty)
      lag.onRead(1)
      expect(lag.recover(1000, isEmpty)).to.equal(!isEmpty)
    }
  })

  it('has no timer left after a release', () => {
    const { clock, said, lag } = lagging()
    void lag.wait()
    lag.release()
    lag.release()
    expect(clock.pending).to.equal(0)
    clock.advance(10_000)
    expect(said).to.deep.equal([])
  })
})

describe('RecentTime', () => {
  it('forgets what is ten seconds old, and keeps the total', () => {
    const time = new RecentTime()
    time.add(100, 500)
    time.add(200, 5500)
    expect(time.within(9999)).to.equal(300)
    expect(time.within(10_000)).to.equal(200)
    expect(time.within(15_000)).to.equal(0)
    time.add(1, 1_000_000)
    expect(time.within(1_000_000)).to.equal(1)
    expect(time.total).to.equal(301)
  })
})
