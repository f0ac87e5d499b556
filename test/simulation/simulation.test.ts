import { expect } from 'chai'
import { loadCore } from './core'
import { reportOf, tryOut } from './trial'

const SEEDS = 500
const AT_A_TIME = 50
const EXTENT = { endpoints: 4, steps: 60 }

describe('the core, in a simulated world', function () {
  this.timeout(120_000)
  const core = loadCore()

  for (let from = 1; from <= SEEDS; from += AT_A_TIME) {
    const to = from + AT_A_TIME - 1
    it(`keeps its guarantees whatever happens to it, and recovers: seeds ${from} to ${to} (G1 to G13)`, async () => {
      for (let seed = from; seed <= to; seed++) {
        const trial = await tryOut(core, seed, EXTENT)
        if (trial.violations.length > 0) expect.fail(reportOf(trial, EXTENT))
      }
    })
  }

  it('does the same on more endpoints', async () => {
    const extent = { endpoints: 9, steps: 120 }
    for (let seed = 1; seed <= 5; seed++) {
      const trial = await tryOut(core, seed, extent)
      if (trial.violations.length > 0) expect.fail(reportOf(trial, extent))
    }
  })

  it('is the same to the last digit each time that a seed is tried out', async () => {
    for (const seed of [1, 7, 42]) {
      const first = await tryOut(core, seed, EXTENT)
      await tryOut(core, seed + 1, EXTENT)
      const second = await tryOut(loadCore(), seed, EXTENT)
      expect(second.history.records).to.deep.equal(first.history.records)
      expect(second.history.hash).to.equal(first.history.hash)
    }
  })

  it('is another one for another seed', async () => {
    const [one, other] = [await tryOut(core, 1, EXTENT), await tryOut(core, 2, EXTENT)]
    expect(one.history.hash).not.to.equal(other.history.hash)
  })

  it('puts everything that can go wrong to the test', async () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 40; seed++) {
      for (const { kind } of (await tryOut(core, seed, EXTENT)).history.records) seen.add(kind)
    }
    const faults = ['killed', 'frozen', 'thawed', 'cut', 'disturbed', 'unpublished', 'refused', 'unsubscribed']
    const signs = ['gap', 'lost', 'left', 'lagging', 'recovered', 'unresponsive', 'error', 'handled', 'answered']
    expect([...seen]).to.include.members([...faults, ...signs])
  })
})
