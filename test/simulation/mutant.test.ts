import { expect } from 'chai'
import { MutantCore } from './mutant'
import { MUTANTS } from './mutants'
import { tryOut } from './trial'

/** Seeds within which a mutant must be noticed, unless it is known to show more rarely. */
const SEEDS = 200
const EXTENT = { endpoints: 4, steps: 60 }

describe('the simulation', function () {
  this.timeout(120_000)

  for (const mutant of MUTANTS) {
    it(`notices the mutant: ${mutant.mistake} (${mutant.breaks.join(', ')})`, async () => {
      const { profile, seeds = SEEDS } = mutant
      const extent = profile ? { ...EXTENT, profile } : EXTENT
      const mutated = new MutantCore(mutant)
      try {
        const broken = new Set<string>()
        for (let seed = 1; seed <= seeds && !mutant.breaks.some((guarantee) => broken.has(guarantee)); seed++) {
          const { violations } = await tryOut(mutated.core, seed, extent)
          for (const { guarantee } of violations) broken.add(guarantee)
        }
        expect(mutant.breaks).to.satisfy((guarantees: string[]) => guarantees.some((one) => broken.has(one)))
      } finally {
        mutated.remove()
      }
    })
  }

  it('rejects a mutant whose original text is not in the source exactly once', () => {
    const nowhere = { mistake: 'x', file: 'channel/lag', original: 'not in the source', replacement: '', breaks: [] }
    expect(() => new MutantCore(nowhere)).to.throw(TypeError, 'got 0')
    expect(() => new MutantCore({ ...nowhere, original: 'this' })).to.throw(TypeError, 'expected one place')
  })
})
