import { expect } from 'chai'
import { Liveness } from '../../src/channel/liveness'

const QUIET = { isSilent: false, becameUnresponsive: false }
const ASK = { isSilent: true, becameUnresponsive: false }
const UNRESPONSIVE = { isSilent: true, becameUnresponsive: true }

/** The results of so many checks in a row without activity. */
const checks = (liveness: Liveness, times: number) => Array.from({ length: times }, () => liveness.check())

describe('Liveness', () => {
  it('asks for a ping from the second silent check on, and reports once that the peer is unresponsive', () => {
    const liveness = new Liveness(3)
    expect(checks(liveness, 7)).to.deep.equal([QUIET, ASK, ASK, ASK, UNRESPONSIVE, ASK, ASK])
  })

  for (const limit of [1, 2, 3, 10]) {
    it(`gives a peer a whole interval to answer each of ${limit} pings`, () => {
      const liveness = new Liveness(limit)
      let answerable = 0
      let pings = 0
      for (;;) {
        answerable = pings
        const { isSilent, becameUnresponsive } = liveness.check()
        if (becameUnresponsive) break
        if (isSilent) pings++
      }
      expect(answerable).to.equal(limit)
    })
  }

  it('reports that the peer is unresponsive by the check that makes it so', () => {
    const liveness = new Liveness(3)
    for (let time = 0; time < 10; time++) {
      const before = liveness.isUnresponsive
      const { becameUnresponsive } = liveness.check()
      expect(becameUnresponsive).to.equal(!before && liveness.isUnresponsive)
    }
    expect(liveness.isUnresponsive).to.equal(true)
  })

  it('asks for no ping while the peer is active between checks', () => {
    const liveness = new Liveness(3)
    for (let time = 0; time < 20; time++) {
      expect(liveness.check()).to.deep.equal(QUIET)
      expect(liveness.onActivity()).to.equal(false)
    }
  })

  it('counts from zero after every activity', () => {
    const liveness = new Liveness(3)
    checks(liveness, 3)
    expect(liveness.onActivity()).to.equal(false)
    expect(checks(liveness, 5)).to.deep.equal([QUIET, ASK, ASK, ASK, UNRESPONSIVE])
  })

  it('reports the end of unresponsiveness once, at the first activity', () => {
    const liveness = new Liveness(3)
    checks(liveness, 6)
    expect(liveness.onActivity()).to.equal(true)
    expect(liveness.isUnresponsive).to.equal(false)
    expect(liveness.onActivity()).to.equal(false)
  })

  it('works the same for every period of silence', () => {
    const liveness = new Liveness(1)
    for (let time = 0; time < 3; time++) {
      expect(checks(liveness, 4)).to.deep.equal([QUIET, ASK, UNRESPONSIVE, ASK])
      expect(liveness.onActivity()).to.equal(true)
    }
  })
})
