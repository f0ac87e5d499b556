import { expect } from 'chai'
import { loadCore } from './core'
import { reportOf, tryOut } from './trial'

const SEEDS = 200
const AT_A_TIME = 50
const EXTENT = { endpoints: 4, steps: 60 }

describe('the simulated core', function () {
  this.timeout(120_000)
  const core = loadCore()
  const kinds = new Map<number, ReadonlySet<string>>()

  /** The kinds of records in the history of a seed, which is run and checked at most once. */
  async function kindsIn(seed: number): Promise<ReadonlySet<string>> {
    const known = kinds.get(seed)
    if (known) return known
    const trial = await tryOut(core, seed, EXTENT)
    if (trial.violations.length > 0) expect.fail(reportOf(trial, EXTENT))
    const found = new Set(trial.history.records.map(({ kind }) => kind))
    kinds.set(seed, found)
    return found
  }

  for (let from = 1; from <= SEEDS; from += AT_A_TIME) {
    const to = from + AT_A_TIME - 1
    it(`keeps all guarantees and recovers with seeds ${from} to ${to} (G1 to G13)`, async () => {
      for (let seed = from; seed <= to; seed++) await kindsIn(seed)
    })
  }

  it('keeps all guarantees with more endpoints', async () => {
    const extent = { endpoints: 9, steps: 120 }
    for (let seed = 1; seed <= 5; seed++) {
      const trial = await tryOut(core, seed, extent)
      if (trial.violations.length > 0) expect.fail(reportOf(trial, extent))
    }
  })

  it('produces the same history each time for one seed', async () => {
    for (const seed of [1, 7, 42]) {
      const first = await tryOut(core, seed, EXTENT)
      await tryOut(core, seed + 1, EXTENT)
      const second = await tryOut(loadCore(), seed, EXTENT)
      expect(second.history.records).to.deep.equal(first.history.records)
      expect(second.history.hash).to.equal(first.history.hash)
    }
  })

  it('produces another history for another seed', async () => {
    const [one, other] = [await tryOut(core, 1, EXTENT), await tryOut(core, 2, EXTENT)]
    expect(one.history.hash).not.to.equal(other.history.hash)
  })

  it('meets every kind of fault', async () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 40; seed++) {
      for (const kind of await kindsIn(seed)) seen.add(kind)
    }
    const faults = ['killed', 'frozen', 'thawed', 'cut', 'disturbed', 'unpublished', 'refused', 'unsubscribed']
    const signs = [
      'gap',
      'lost',
      'left',
      'slow',
      'lagging',
      'recovered',
      'unresponsive',
      'error',
      'handled',
      'answered',
    ]
    expect([...seen]).to.include.members([...faults, ...signs])
  })
})
