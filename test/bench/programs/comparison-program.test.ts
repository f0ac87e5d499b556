import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fields, listOf, number, text } from '../../multiprocess/parse'
import { FAULTY_BROADCAST, type Outcome, programs } from '../../support/program'

const PEERS = join(__dirname, '..', '..', '..', 'bench', 'peers', 'node_modules')

describe('bench:peers, bench:isolation and bench:report', () => {
  const start = programs()
  let scratch = ''
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'lahja-'))
  })
  after(() => rmSync(scratch, { recursive: true, force: true }))

  const run = (script: string, args: readonly string[], env = {}) =>
    start(`bench/dist/programs/${script}.js`, args, { env: { TMPDIR: scratch, ...env } }).ended

  /** A folder with a script named `redis-server`. */
  const serverOf = (script: string) => {
    const folder = mkdtempSync(join(scratch, 'path-'))
    writeFileSync(join(folder, 'redis-server'), `#!${process.execPath}\n${script}\n`, { mode: 0o755 })
    return folder
  }

  const measured = new Map<string, Promise<Outcome>>()

  /** What the program prints with `--json` for this row; once for all tests that look at the same run. */
  const measure = (row: string) => {
    const outcome = measured.get(row) ?? run('peers', ['--quick', '--only', row, '--json'])
    measured.set(row, outcome)
    return outcome
  }

  /** The rows in the output of `--json`. */
  const outcomesIn = (stdout: string) => listOf(fields)(fields(JSON.parse(stdout)).outcomes)

  it('measures the selected rows and checks their bounds', async () => {
    const { code, stdout, stderr } = await measure('binary-1-loop')
    const [outcome, ...others] = outcomesIn(stdout)
    expect(others).to.deep.equal([])
    expect(outcome).to.deep.include({ id: 'binary-1-loop', rival: 'loop', unit: 'events/s', bound: { atLeast: 1.6 } })
    expect(outcome?.our).to.have.length(1)
    expect(outcome?.their).to.have.length(1)
    expect(code).to.equal(outcome?.ok ? 0 : 1)
    expect(stderr).to.contain('round 1 of 1, 2 of 2: binary-1/loop')
    expect(readdirSync(scratch).filter((name) => name.startsWith('lahja-'))).to.deep.equal([])
  })

  it('measures start-up, a process that sends one event, idle links and the import with real processes', async () => {
    const probes = ['start-up', 'one-shot', 'idle-links', 'import'].flatMap((name) => ['--only', name])
    const { stdout } = await run('peers', ['--quick', ...probes, '--json'])
    const outcomes = outcomesIn(stdout)
    expect(outcomes.map(({ id }) => id)).to.deep.equal([
      'start-up',
      'start-up-sockets',
      'one-shot',
      'idle-links',
      'import',
    ])
    for (const { id, reached } of outcomes) {
      const [figure] = listOf(number)(reached)
      expect(figure, text(id)).to.satisfy(Number.isFinite)
      // On a busy machine, the empty script may take longer than the other one.
      if (id !== 'import') expect(figure, text(id)).to.be.greaterThan(0)
    }
  })

  it('delivers every event to the consumer beside a stopped one', async () => {
    const { stdout } = await run('isolation', ['--quick', '--json'])
    const outcomes = outcomesIn(stdout)
    expect(outcomes.map(({ id }) => id)).to.deep.equal(['throttled', 'full', 'flood'])
    for (const { reached } of outcomes) expect(listOf(Number)(reached)[0]).to.be.greaterThan(0)
  })

  it('delivers every event of a shape, beside both loops', async () => {
    const { stdout } = await run('shapes', ['--quick', '--json', '--only', 'list-1'])
    const outcomes = outcomesIn(stdout)
    expect(outcomes.map(({ id }) => id)).to.deep.equal(['list-1-loop', 'list-1-records', 'cpu-list-1'])
    for (const { reached } of outcomes) expect(listOf(Number)(reached)[0]).to.be.greaterThan(0)
  })

  it('delivers the first events of new processes', async () => {
    const { stdout } = await run('cold', ['--quick', '--json', '--only', 'log-4-first-2000'])
    const outcomes = outcomesIn(stdout)
    expect(outcomes.map(({ id }) => id)).to.deep.equal(['log-4-first-2000'])
    for (const { reached } of outcomes) expect(listOf(Number)(reached)[0]).to.be.greaterThan(0)
  })

  it('skips servers that are not installed and shows how to install them', async () => {
    const { stdout } = await run('peers', ['--quick', '--only', 'binary-1-nats'], { PATH: '' })
    expect(stdout).to.match(/skipped: .*apt-get install nats-server/)
  })

  it('exits with 1 when an event is lost, duplicated or out of order', async () => {
    const program = start('bench/dist/programs/peers.js', ['--quick', '--only', 'binary-1-loop'], {
      env: { TMPDIR: scratch },
      preload: FAULTY_BROADCAST,
    })
    const { code, stderr } = await program.ended
    expect(code).to.equal(1)
    expect(stderr).to.contain('bench: binary-1/lahja: expected every event once and in order, got 1 lost')
  })

  it('reports killed processes as failures and continues', async () => {
    const deadly = join(scratch, 'deadly.js')
    writeFileSync(deadly, "if (process.argv[1]?.endsWith('mesh-member.js')) process.kill(process.pid, 'SIGKILL')")
    const env = { NODE_OPTIONS: `-r "${deadly}"` }
    const { code, stdout } = await run('peers', ['--quick', '--only', 'start-up', '--json'], env)
    const failures = ['start-up/lahja', 'start-up/load'].map((trial) => {
      return { trial, message: 'a process that was started has ended with SIGKILL' }
    })
    expect(outcomesIn(stdout)[0]).to.deep.include({ our: [], their: [], reached: [], ok: false, failures })
    expect(code).to.equal(1)
    expect(readdirSync(scratch).filter((name) => name.startsWith('lahja-'))).to.deep.equal([])
  })

  const servers = {
    'does not start': 'process.exit(1)',
    'exits while it is in use': `
      const path = process.argv[process.argv.indexOf('--unixsocket') + 1]
      require('node:net').createServer(() => process.exit(1)).listen(path)`,
  }
  for (const [what, script] of Object.entries(servers)) {
    it(`continues without a server that ${what}, and cleans up after it`, async () => {
      const { code, stdout } = await run('peers', ['--quick', '--only', 'binary-1-redis'], { PATH: serverOf(script) })
      if (existsSync(PEERS)) expect(code).to.equal(1)
      expect(stdout).to.contain(
        existsSync(PEERS)
          ? 'FAILED: binary-1/redis: redis-server has ended before its time'
          : 'skipped: npm ci --prefix bench/peers',
      )
      expect(readdirSync(scratch).filter((name) => name.startsWith('lahja-'))).to.deep.equal([])
    })
  }

  it('writes a page of the results, or shows how to install what the chart needs', async () => {
    const { stdout } = await measure('binary-1-loop')
    const file = join(scratch, 'measured.json')
    writeFileSync(file, stdout)
    const { code, stderr } = await run('report', ['--from', file, '--out', join(scratch, 'docs')])
    if (!existsSync(PEERS)) {
      expect({ code, stderr }).to.deep.equal({
        code: 1,
        stderr: 'bench: the chart needs echarts, which is not installed: npm ci --prefix bench/peers\n',
      })
      return
    }
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    const page = readFileSync(join(scratch, 'docs', 'benchmark.md'), 'utf8')
    const [outcome] = outcomesIn(stdout)
    expect(page).to.contain('npm run bench:peers -- --quick --only binary-1-loop --json')
    expect(page).to.contain(`| ${text(outcome?.title)} | events/s |`)
    expect(page).to.contain('- **loop**: node:net')
    const picture = readFileSync(join(scratch, 'docs', 'benchmark.svg'), 'utf8')
    expect(picture).to.match(/^<svg [\s\S]*<\/svg>$/)
    for (const label of ['lahja', 'loop', '100 bytes', '1 consumer']) expect(picture).to.contain(`>${label}</text>`)
    // An attribute that ends too early makes the file invalid.
    expect(picture.replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, '')).not.to.match(/<[^>]*="[^"]*"[^\s/>]/)
  })

  const refusals = [
    { script: 'peers', args: ['--only', 'pigeon'], message: '--only: expected one of binary-1-loop, binary-1, loop,' },
    { script: 'peers', args: ['--rounds', '0'], message: "--rounds: expected a whole number from 1 to 1000, got '0'" },
    { script: 'isolation', args: ['--only', 'loop'], message: '--only: expected one of throttled, alone, full' },
    {
      script: 'report',
      args: ['--from', '/nowhere'],
      message: "--from: expected what a comparison prints with --json in '/nowhere'",
    },
    { script: 'report', args: ['--warp'], message: "Unknown option '--warp'" },
  ]
  for (const { script, args, message } of refusals) {
    it(`rejects ${args.join(' ')} and prints the usage: ${script}`, async () => {
      const { code, stdout, stderr } = await run(script, args)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.contain(`bench: ${message}`).and.contain('Usage: npm run bench:')
    })
  }

  it('prints the rows with --list and the usage with --help', async () => {
    expect((await run('peers', ['--list'])).stdout).to.match(/^binary-1-loop +broadcast, 100 bytes, 1 consumer$/m)
    for (const script of ['peers', 'isolation', 'report']) {
      expect((await run(script, ['--help'])).stdout).to.contain('Usage: npm run bench:')
    }
  })
})
