import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Ledger } from '../../examples/work-queue/ledger'
import { type ProgramOptions, programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

const GIVER = 'examples/work-queue/giver.ts'
const WORKER = 'examples/work-queue/worker.ts'
const DYING = { preload: join(__dirname, 'dying-endpoint.ts') }
const EXAMPLES = join(__dirname, '..', '..', 'examples')

/** By worker: what the giver says of it, or what it says itself. */
type Shares = Record<string, number>

describe('examples/work-queue', () => {
  const start = programs()
  const temporary = temporaryDirectory()
  const bus = () => join(temporary.path, 'bus')
  const run = (script: string, options: ProgramOptions = {}) =>
    start(script, [], { ...options, env: { LAHJA_DIRECTORY: bus() } })
  const files = readdirSync(EXAMPLES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const lines = files.reduce((sum, { parentPath, name }) => {
    return sum + (readFileSync(join(parentPath, name), 'utf8').match(/\n/g)?.length ?? 0)
  }, 0)

  function sharesIn(stdout: string, pattern: RegExp): Shares {
    return Object.fromEntries([...stdout.matchAll(pattern)].map(([, name = '', count]) => [name, Number(count)]))
  }

  /** Every file was counted once according to both sides, and no worker counted all. */
  function expectAllDone(giver: string, workers: readonly string[]): void {
    const given = sharesIn(giver, /^(worker-[0-9a-z]+): (\d+) files$/gm)
    const taken = sharesIn(workers.join(''), /^(worker-[0-9a-z]+) has counted (\d+) files$/gm)
    expect(given).to.deep.equal(taken)
    expect(Object.values(given)).to.have.lengthOf(2)
    expect(Math.min(...Object.values(given))).to.be.greaterThan(0)
    expect(giver).to.contain(`\ntogether: ${files.length} files, ${lines} lines\n`)
  }

  it('has all jobs counted by two workers started before it', async () => {
    const workers = [run(WORKER), run(WORKER)]
    await Promise.all(workers.map((worker) => worker.untilPrinted('waiting for jobs')))
    const giver = await run(GIVER).ended
    const outcomes = await Promise.all(workers.map(({ ended }) => ended))
    for (const { code, stderr } of [giver, ...outcomes]) expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expectAllDone(
      giver.stdout,
      outcomes.map(({ stdout }) => stdout),
    )
    expect(readdirSync(join(bus(), 'work-queue'))).to.deep.equal([])
  })

  it('waits for workers that start later, one after the other', async () => {
    const giver = run(GIVER)
    await giver.untilPrinted('waiting for 2 workers')
    const first = run(WORKER)
    const second = run(WORKER)
    const [{ code, stdout }, ...workers] = await Promise.all([giver.ended, first.ended, second.ended])
    expect([code, ...workers.map((worker) => worker.code)]).to.deep.equal([0, 0, 0])
    expectAllDone(
      stdout,
      workers.map((worker) => worker.stdout),
    )
  })

  it('gives the jobs of a worker that dies to the other one', async () => {
    const [giver, worker, dead] = await Promise.all([run(GIVER).ended, run(WORKER).ended, run(WORKER, DYING).ended])
    expect([giver.code, worker.code, dead.code]).to.deep.equal([0, 0, null])
    expect(giver.stdout).to.match(/^worker-[0-9a-z]+ has gone; [1-9]\d* jobs have been given again so far$/m)
    const shares = Object.values(sharesIn(giver.stdout, /^(worker-[0-9a-z]+): (\d+) files$/gm))
    expect(shares.reduce((sum, files) => sum + files, 0)).to.equal(files.length)
    expect(giver.stdout).to.contain(`\ntogether: ${files.length} files, ${lines} lines\n`)
  })

  it('reports the uncounted jobs when no worker is left', async () => {
    const [giver, ...dead] = await Promise.all(
      [run(GIVER), run(WORKER, DYING), run(WORKER, DYING)].map(({ ended }) => ended),
    )
    expect([giver?.code, ...dead.map(({ code }) => code)]).to.deep.equal([1, null, null])
    const [, counted, , missing] =
      giver?.stdout.match(/^together: (\d+) files, (\d+) lines, (\d+) files not counted$/m) ?? []
    expect(Number(counted) + Number(missing)).to.equal(files.length)
    expect(Number(missing)).to.be.greaterThan(0)
  })

  it('counts a job once that was done twice', () => {
    const ledger = new Ledger(['a', 'b'])
    ledger.enter('one', { path: 'a', lines: 1 })
    ledger.enter('two', { path: 'a', lines: 1 })
    expect([...ledger.open]).to.deep.equal(['b'])
    expect(ledger.toString()).to.equal('one: 1 files\ntogether: 1 files, 1 lines, 1 files not counted')
  })
})
