import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, workIn } from '../../../bench/programs/bench-options'
import { fields, listOf, number } from '../../multiprocess/parse'
import { FAULTY_BROADCAST, type Outcome, type Program, type ProgramOptions, programs } from '../../support/program'

const SMALL = ['--processes', '2', '--events', '2000']

/** The arguments for a little work. */
function littleWork(mode: string, contender = 'lahja'): readonly string[] {
  const work = ['--mode', mode, '--processes', '2', '--events', '300', '--concurrency', '8']
  return contender === 'lahja' ? work : [...work, '--contender', contender]
}

describe('npm run bench', () => {
  const start = programs()
  let scratch = ''
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'lahja-'))
  })
  after(() => rmSync(scratch, { recursive: true, force: true }))

  const begin = (args: readonly string[], options: ProgramOptions = {}) =>
    start('bench/dist/programs/bench.js', args, { ...options, env: { TMPDIR: scratch } })

  /** Waits for the end and expects that no directory is left. */
  async function end(bench: Program): Promise<Outcome> {
    const outcome = await bench.ended
    expect(readdirSync(scratch).filter((file) => file.startsWith('lahja-'))).to.deep.equal([])
    return outcome
  }

  const run = (args: readonly string[], options: ProgramOptions = {}) => end(begin(args, options))

  /** Runs it and expects that it succeeds. */
  async function succeed(args: readonly string[]): Promise<Outcome> {
    const outcome = await run(args)
    expect(outcome.code).to.equal(0)
    return outcome
  }

  const measured = new Map<string, Promise<Outcome>>()

  /** Runs it with `--json` and expects that it succeeds; once for all tests that look at the same run. */
  async function measure(args: readonly string[]) {
    const command = args.join(' ')
    const outcome = measured.get(command) ?? succeed([...args, '--json'])
    measured.set(command, outcome)
    return resultIn((await outcome).stdout)
  }

  it('prints one JSON object without lost, duplicate or out-of-order events', async () => {
    const { processFigures, total, ...result } = await measure(SMALL)
    const consumers = processFigures.slice(1)
    expect(result).to.include({
      contender: 'lahja',
      processes: 2,
      events: 2000,
      payloadBytes: 100,
      rounds: 1,
      ok: true,
    })
    expect(consumers.map(({ name }) => name)).to.deep.equal(['consumer-1', 'consumer-2'])
    for (const consumer of consumers) {
      expect(consumer).to.include({ received: 2000, lost: 0, outOfOrder: 0, duplicates: 0 })
      expectSpeeds(consumer)
    }
    expect(total).to.include({ received: 4000, lost: 0, outOfOrder: 0, duplicates: 0 })
    expectSpeeds(total)
  })

  it('checks the events of a warm-up, but measures only the events after it', async () => {
    const { total, ...result } = await measure([...SMALL, '--warm-up', '500'])
    expect(result).to.include({ events: 2000, warmUp: 500, ok: true })
    expect(total).to.include({ received: 4000, lost: 0, outOfOrder: 0, duplicates: 0 })
    expectSpeeds(total)
  })

  it('sends the requests of a warm-up, but measures only the requests after it', async () => {
    for (const [args, warmUp] of [
      [[], 300],
      [['--warm-up', '200'], 200],
    ] as const) {
      const { total, ...result } = await measure([...littleWork('request'), ...args])
      expect(result).to.include({ events: 300, warmUp, ok: true })
      expect(total).to.include({ received: 300, lost: 0, outOfOrder: 0, duplicates: 0 })
      expectSpeeds(total)
    }
  })

  it('prints a table with a row for each consumer and for all, and a summary', async () => {
    const { stdout, stderr } = await succeed([...SMALL, '--payload-bytes', '16'])
    expect(stderr).to.contain('100 % done')
    for (const row of ['consumer-1', 'consumer-2', 'all']) {
      const times = ' +[\\d.]+ │'.repeat(4)
      expect(stdout).to.match(new RegExp(`^│ ${row} +│ +[\\d,]+ │${times} +0 │ +0 │ +0 │ +[\\d.]+ │ +\\d+ │$`, 'm'))
    }
    expect(stdout).to.match(/^│ sender +│( +│){8} +[\d.]+ │ +\d+ │$/m)
    expect(stdout).to.match(
      /^2,000 events of 16 bytes \(binary\) broadcast to 2 processes: [\d,]+ deliveries\/s, [\d.]+ CPU s per million; every event arrived .+\n$/m,
    )
  })

  it('adds up the counts of several rounds and reports medians', async () => {
    const args = ['--processes', '1', '--events', '500', '--rounds', '2']
    const { total } = await measure([...args])
    expect(total).to.include({ received: 1000, lost: 0 })
  })

  for (const contender of ['lahja', 'loop', 'loop-records', 'raw']) {
    for (const mode of ['broadcast', 'request', 'latency', 'mesh']) {
      it(`delivers all events of ${contender} in mode ${mode}`, async () => {
        const { total, ok } = await measure(littleWork(mode, contender))
        expect(ok).to.equal(true)
        expect(total).to.include({ received: mode === 'request' ? 300 : 600, lost: 0, outOfOrder: 0, duplicates: 0 })
        expectSpeeds(total)
      })
    }
  }

  for (const contender of ['lahja', 'loop', 'raw']) {
    it(`delivers each event of ${contender} to one member of a queue`, async () => {
      const { total, ok, processFigures } = await measure(littleWork('queue', contender))
      expect(ok).to.equal(true)
      expect(total).to.include({ received: 300, lost: 0, outOfOrder: 0, duplicates: 0 })
      expect(processFigures.reduce((sum, { received }) => sum + number(received), 0)).to.equal(300)
    })
  }

  const otherWorks = [
    { contender: 'ipc', mode: 'broadcast', payload: 'binary', processes: 2 },
    { contender: 'ipc', mode: 'broadcast', payload: 'object', processes: 1 },
    { contender: 'ipc', mode: 'latency', payload: 'text', processes: 1 },
    { contender: 'lahja', mode: 'broadcast', payload: 'object', processes: 1 },
    { contender: 'lahja', mode: 'broadcast', payload: 'text', processes: 1 },
    { contender: 'loop', mode: 'broadcast', payload: 'object', processes: 1 },
    { contender: 'loop-records', mode: 'broadcast', payload: 'text', processes: 1 },
  ]
  for (const { contender, mode, payload, processes } of otherWorks) {
    it(`delivers all events of ${contender} in mode ${mode} with payload ${payload}`, async () => {
      const work = ['--contender', contender, '--mode', mode, '--payload', payload]
      const { total } = await measure([...work, '--processes', `${processes}`, '--events', '300'])
      expect(total).to.include({ received: 300 * processes, lost: 0, outOfOrder: 0, duplicates: 0 })
    })
  }

  it('limits the rate of the sender to --throttle', async () => {
    const { total } = await measure(['--events', '200', '--throttle', '1000', '--processes', '1'])
    expect(total.eventsPerSecond).to.be.lessThan(1010)
  })

  it('counts lost, duplicate and out-of-order events, and exits with 1', async () => {
    const { code, stdout } = await run([...SMALL, '--json'], { preload: FAULTY_BROADCAST })
    expect(code).to.equal(1)
    const { processFigures, total, ...result } = resultIn(stdout)
    const consumers = processFigures.slice(1)
    expect(result).to.include({ ok: false })
    for (const consumer of consumers) {
      expect(consumer).to.include({ received: 1999, lost: 1, outOfOrder: 1, duplicates: 1 })
    }
    expect(total).to.include({ lost: 2, outOfOrder: 2, duplicates: 2 })
  })

  it('counts the faults in its summary', async () => {
    const { code, stdout } = await run(SMALL, { preload: FAULTY_BROADCAST })
    expect(code).to.equal(1)
    expect(stdout).to.contain('FAILED: 2 lost, 2 out of order, 2 duplicates.')
  })

  for (const script of ['consumer.js', 'sender.js']) {
    it(`exits with 1 and names the process when ${script} is killed`, async () => {
      const bench = begin(['--processes', '2', '--events', '100000000', '--payload-bytes', '16'])
      await bench.untilPrinted('everyone is ready')
      bench.killStarted(script)
      const { code, stdout, stderr } = await end(bench)
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
      expect(stderr).to.match(/bench: (consumer-\d|sender) has ended with (SIGKILL|code 1)\n$/)
    })
  }

  it('cleans up when it is interrupted', async () => {
    const bench = begin(['--events', '100000000'])
    await bench.untilPrinted('everyone is ready')
    bench.signal('SIGTERM')
    const { code, stderr } = await end(bench)
    expect(code).to.equal(1)
    expect(stderr).to.match(/bench: interrupted by SIGTERM\n$/)
  })

  const refusals = [
    { args: ['--processes', '0'], message: "--processes: expected a whole number from 1 to 256, got '0'" },
    { args: ['--events', '1e5'], message: "--events: expected a whole number from 1 to 100000000, got '1e5'" },
    { args: ['--warm-up', '1', '--mode', 'mesh'], message: "--warm-up: expected a whole number from 0 to 0, got '1'" },
    { args: ['--payload-bytes', '15'], message: '--payload-bytes: expected a whole number from 16' },
    { args: ['--payload', 'json'], message: '--payload: expected one of binary, object, text, unicode, flat-3, ' },
    {
      args: ['--mode', 'chat'],
      message: "--mode: expected one of broadcast, request, latency, mesh, queue, got 'chat'",
    },
    { args: ['--mode', 'mesh', '--processes', '1'], message: '--processes: expected a whole number from 2' },
    { args: ['--contender', 'pigeon'], message: '--contender: expected one of lahja, loop,' },
    { args: ['--contender', 'raw', '--payload', 'text'], message: "--payload: raw has binary, got 'text'" },
    { args: ['--throttle', '-1'], message: "Option '--throttle' argument is ambiguous" },
    { args: ['--concurrency', '0'], message: '--concurrency: expected a whole number from 1' },
    { args: ['--warp'], message: "Unknown option '--warp'" },
    { args: ['200000'], message: "Unexpected argument '200000'" },
  ]
  for (const { args, message } of refusals) {
    it(`rejects ${args.join(' ').trim()}`, () => {
      expect(() => workIn(parse([...args]))).to.throw(message)
    })
  }

  for (const { args, message } of [
    { args: ['--processes', '0'], message: "--processes: expected a whole number from 1 to 256, got '0'" },
    { args: ['--rounds', ''], message: '--rounds: expected a whole number from 1' },
    { args: ['--warp'], message: "Unknown option '--warp'" },
  ]) {
    it(`prints why it rejects ${args.join(' ')}, and its usage, and exits with 2`, async () => {
      const { code, stdout, stderr } = await run(args)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.contain(`bench: ${message}`).and.contain('Usage: npm run bench')
    })
  }

  it('prints its usage with --help', async () => {
    const { stdout } = await succeed(['--help'])
    expect(stdout).to.contain('Usage: npm run bench')
  })
})

function resultIn(stdout: string) {
  const result = fields(JSON.parse(stdout))
  return {
    ok: result.ok,
    ...result,
    processFigures: listOf(fields)(result.processFigures),
    total: fields(result.total),
  }
}

function expectSpeeds({ eventsPerSecond, cpuSeconds, rssBytes, ...times }: Record<string, unknown>): void {
  for (const figure of [eventsPerSecond, cpuSeconds, rssBytes]) expect(figure).to.be.greaterThan(0)
  const { p50Microseconds, p90Microseconds, p99Microseconds, maxMicroseconds } = times
  const percentiles = [p50Microseconds, p90Microseconds, p99Microseconds, maxMicroseconds].map(number)
  expect(percentiles[0]).to.be.greaterThan(0)
  expect(percentiles).to.deep.equal([...percentiles].sort((one, other) => one - other))
}
