import { expect } from 'chai'
import { comparisonOf, outcomesOf } from '../../../bench/measure/comparison'
import type { Row } from '../../../bench/measure/row'
import { narrow, type Suite } from '../../../bench/measure/suite'
import { type Failure, measureInTurns, type Trial } from '../../../bench/measure/trial'
import { peersSuite } from '../../../bench/programs/peers-suite'
import { barsOf } from '../../../bench/report/chart'
import { cellsOf, spread, verdictOf } from '../../../bench/report/comparison-table'

const ROW: Row = {
  id: 'binary-1-loop',
  title: 'broadcast',
  unit: 'events/s',
  figure: 'eventsPerSecond',
  ours: 'binary-1/lahja',
  theirs: 'binary-1/loop',
  rival: 'loop',
  bound: { atLeast: 1 },
}

function trial(id: string, values: number[], log: string[] = [], missing: string[] = []): Trial {
  return {
    id,
    missing,
    async measure() {
      log.push(id)
      return { eventsPerSecond: values.shift() ?? Number.NaN }
    },
  }
}

const trialThat = (id: string, measure: Trial['measure']): Trial => ({ id, missing: [], measure })

async function measured(trials: readonly Trial[], rounds: number, signal = new AbortController().signal) {
  const told: Failure[] = []
  const tell = (failure: Failure) => told.push(failure)
  return { measured: await measureInTurns(trials, rounds, () => {}, tell, signal), told }
}

async function outcomeOf(our: number[], their: number[], row = ROW, missing: string[] = []) {
  const suite: Suite = { rows: [row], trials: [trial(ROW.ours, our), trial(ROW.theirs ?? '', their, [], missing)] }
  const [outcome] = outcomesOf(suite, (await measured(suite.trials, our.length)).measured)
  if (!outcome) throw new Error('expected an outcome')
  return outcome
}

describe('comparison of contenders', () => {
  it('runs every trial once in each round', async () => {
    const log: string[] = []
    const trials = ['a', 'b', 'c'].map((id) => trial(id, [], log))
    await measured(trials, 2)
    expect(log).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  it('checks the median of the ratios of each round against the bound', async () => {
    const { reached, ok } = await outcomeOf([100, 200, 30], [50, 400, 15])
    expect(reached).to.deep.equal([2, 0.5, 2])
    expect(ok).to.equal(true)
    expect((await outcomeOf([100, 200, 30], [50, 400, 40])).ok).to.equal(false)
  })

  it('accepts a ratio that equals its lower or upper bound', async () => {
    expect((await outcomeOf([7], [7])).ok).to.equal(true)
    expect((await outcomeOf([7], [7], { ...ROW, bound: { atMost: 1 } })).ok).to.equal(true)
    expect((await outcomeOf([8], [7], { ...ROW, bound: { atMost: 1 } })).ok).to.equal(false)
  })

  it('checks the figure itself against the bound of a row without a rival', async () => {
    const { theirs: _, ...alone } = ROW
    const { reached, their, ok } = await outcomeOf([2048], [], { ...alone, unit: 'KiB', bound: { atMost: 2 } })
    expect({ reached, their, ok }).to.deep.equal({ reached: [2], their: [], ok: true })
  })

  it('skips a contender that is not installed and shows the command that installs it', async () => {
    const outcome = await outcomeOf([100], [], ROW, ['npm ci --prefix bench/peers'])
    expect(outcome.ok).to.equal(undefined)
    expect(verdictOf(outcome)).to.equal('skipped: npm ci --prefix bench/peers')
  })

  it('leaves a failed trial out of the remaining rounds and keeps its samples', async () => {
    const log: string[] = []
    let attempts = 0
    const flaky = trialThat('binary-1/loop', async () => {
      if (++attempts === 2) throw new Error('expected a connection, got none')
      return { eventsPerSecond: 50 }
    })
    const suite: Suite = { rows: [ROW], trials: [flaky, trial(ROW.ours, [100, 200, 300], log)] }
    const { measured: all, told } = await measured(suite.trials, 3)
    expect(attempts).to.equal(2)
    expect(log).to.have.length(3)
    expect(told).to.deep.equal([{ trial: 'binary-1/loop', message: 'expected a connection, got none' }])
    const [outcome] = outcomesOf(suite, all)
    expect(outcome).to.deep.include({ our: [100, 200, 300], their: [50], reached: [2], ok: false, failures: told })
    expect(outcome && verdictOf(outcome)).to.equal('FAILED: binary-1/loop: expected a connection, got none')
  })

  for (const good of [0, 1]) {
    it(`draws no bar for a trial that fails after ${good} good rounds`, async () => {
      let rounds = 0
      const failing = trialThat('binary-1/loop', async () => {
        if (rounds++ === good) throw new Error('killed')
        return { eventsPerSecond: 50 }
      })
      const suite: Suite = { rows: [ROW], trials: [trial(ROW.ours, [100, 200]), failing] }
      const bars = barsOf(outcomesOf(suite, (await measured(suite.trials, 2)).measured))
      expect(bars.map(({ contender }) => contender)).to.deep.equal(['lahja'])
    })
  }

  it('does not read the settings of a contender without a result, which may be too broken to have any', async () => {
    const broken: Trial = { id: 'binary-1/zeromq', missing: [], measure: () => Promise.reject(new Error('no addon')) }
    const suite: Suite = { rows: [{ ...ROW, theirs: broken.id }], trials: [trial(ROW.ours, [100]), broken] }
    const { settings, ok } = comparisonOf(suite, (await measured(suite.trials, 1)).measured, 1, 'compare')
    expect(Object.keys(settings)).to.deep.equal(['lahja'])
    expect(ok).to.equal(false)
  })

  for (const next of ['b', undefined]) {
    it(`rejects when it is interrupted before ${next ? 'another trial' : 'the end'}, without a failure of the trial`, async () => {
      const interruption = new AbortController()
      const interrupted = trialThat('a', async () => {
        interruption.abort(new Error('interrupted'))
        throw new Error('killed')
      })
      const log: string[] = []
      const trials = [interrupted, ...(next ? [trial(next, [], log)] : [])]
      const error = await measured(trials, 1, interruption.signal).catch((reason) => reason)
      expect(error).to.have.property('message', 'interrupted')
      expect(log).to.deep.equal([])
    })
  }

  it('shows the median of several rounds with the minimum and the maximum', async () => {
    expect(spread([3, 1, 2])).to.equal('2.00 (1.00–3.00)')
    expect(spread([123_456.7])).to.equal('123,457')
    expect(spread([])).to.equal('')
    const cells = cellsOf(await outcomeOf([100, 300], [100, 100]))
    expect(cells).to.deep.equal([
      'broadcast',
      'events/s',
      '200 (100–300)',
      'loop',
      '100 (100–100)',
      '2.00 (1.00–3.00)',
      '≥ 1',
      'ok',
    ])
  })

  it('runs only the trials that the selected rows need', () => {
    const { rows, trials } = narrow(peersSuite(true), ['zeromq'])
    expect(rows.map(({ id }) => id)).to.deep.equal(['binary-1-zeromq', 'binary-4-zeromq'])
    expect(trials.map(({ id }) => id)).to.have.members([
      'binary-1/lahja',
      'binary-1/zeromq',
      'binary-4/lahja',
      'binary-4/zeromq',
    ])
  })

  it('has a trial for each side of every row, and unique ids of trials and rows', () => {
    const { rows, trials } = peersSuite(false)
    const ids = trials.map(({ id }) => id)
    expect(new Set(ids).size).to.equal(ids.length)
    expect(new Set(rows.map(({ id }) => id)).size).to.equal(rows.length)
    for (const { ours, theirs } of rows) expect(ids).to.include.members(theirs === undefined ? [ours] : [ours, theirs])
  })
})
