import { expect } from 'chai'
import { playRound, reportOf } from './round'

describe('eight processes that are killed, stopped and restarted, and claim the same names', () => {
  it('keep all guarantees and recover (G1 to G13)', async () => {
    const outcome = await playRound({ seed: 1, processes: 8, duration: 8000 })

    if (outcome.violations.length > 0) expect.fail(reportOf(outcome))
    expect(outcome.kills, 'processes killed').to.be.above(2)
    const kinds = new Set(outcome.records.map(({ kind }) => kind))
    expect([...kinds]).to.include.members(['refused', 'killed', 'frozen', 'received', 'replied', 'acquainted', 'quiet'])
  })
})
