import { expect } from 'chai'
import { Liveness } from '../../src/mesh/liveness'

const QUIET = { isSilent: false, becameUnresponsive: false }
const ASK = { isSilent: true, becameUnresponsive: false }
const UNRESPONSIVE = { isSilent: true, becameUnresponsive: true }

/** What so many checks without a sound from the peer say. */
const checks = (liveness: Liveness, times: number) => Array.from({ length: times }, () => liveness.check())

describe('Liveness', () => {
  it('asks from the second silent check on, and says once that the peer is unresponsive', () => {
    const liveness = new Liveness(3)
    expect(checks(liveness, 7)).to.deep.equal([QUIET, ASK, ASK, UNRESPONSIVE, ASK, ASK, ASK])
  })

  it('says no sooner and no later that the peer is unresponsive than it tells of it', () => {
    const liveness = new Liveness(3)
    for (let time = 0; time < 10; time++) {
      const before = liveness.isUnresponsive
      const { becameUnresponsive } = liveness.check()
      expect(becameUnresponsive).to.equal(!before && liveness.isUnresponsive)
    }
    expect(liveness.isUnresponsive).to.equal(true)
  })

  it('never asks a peer that is heard of between any two checks', () => {
    const liveness = new Liveness(3)
    for (let time = 0; time < 20; time++) {
      expect(liveness.check()).to.deep.equal(QUIET)
      expect(liveness.heard()).to.equal(false)
    }
  })

  it('begins anew at every sign of life', () => {
    const liveness = new Liveness(3)
    checks(liveness, 3)
    expect(liveness.heard()).to.equal(false)
    expect(checks(liveness, 4)).to.deep.equal([QUIET, ASK, ASK, UNRESPONSIVE])
  })

  it('tells of the recovery once, at the first sign of life', () => {
    const liveness = new Liveness(3)
    checks(liveness, 6)
    expect(liveness.heard()).to.equal(true)
    expect(liveness.isUnresponsive).to.equal(false)
    expect(liveness.heard()).to.equal(false)
  })

  it('can go through it again and again', () => {
    const liveness = new Liveness(1)
    for (let time = 0; time < 3; time++) {
      expect(checks(liveness, 3)).to.deep.equal([QUIET, UNRESPONSIVE, ASK])
      expect(liveness.heard()).to.equal(true)
    }
  })
})
