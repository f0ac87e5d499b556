import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { defineEvent, type Endpoint, type Loss } from '../../src'
import { DEALT } from '../support/members'
import { useBus } from './bus'
import type { Numbered } from './endpoint-history'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'
import { numbersOf, readWorkLogs } from './work-log'

const Job = defineEvent<Numbered>('job')
const WORKERS = 6
const JOBS = 3000

describe('a queue whose events are dealt out, with workers in other processes', () => {
  const bus = useBus()
  let sender: Endpoint
  let losses: Map<string, Loss>
  let leavers: Map<string, number>

  beforeEach(async () => {
    sender = await bus.join('sender')
    losses = new Map()
    leavers = new Map()
    sender.on('lost', ({ name }, loss) => losses.set(name, loss))
    sender.on('left', ({ name }, { unfinished }) => leavers.set(name, unfinished))
  })

  function startWorkers(count: number, order = {}): Promise<RemoteEndpoint[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const worker = await bus.start(`worker-${index}`)
        await worker.subscribe('job', { ...DEALT, logs: bus.logs, ...order })
        return worker
      }),
    )
  }

  async function untilLost(name: string): Promise<void> {
    await until(() => losses.has(name))
  }

  /** Resolves when the workers have ended all their events. Sends each a negative number. */
  async function untilDone(workers: readonly RemoteEndpoint[]): Promise<void> {
    for (const [index, worker] of workers.entries()) {
      const last = -1 - index
      expect(await sender.broadcast(Job, { number: last }, { to: worker.name })).to.equal(1)
      await worker.untilEnded('job', [last])
    }
  }

  /** The numbers from 0 on in entries of this kind, with repetitions. */
  function logged(what: string): number[] {
    return numbersOf(readWorkLogs(bus.logs), what).filter((number) => number >= 0)
  }

  /** Expects each number below `count` once. */
  function expectAll(what: string, count: number, message = ''): void {
    const numbers = logged(what)
    const known = new Set(numbers)
    expect(summaryOf(upTo(count).filter((number) => !known.has(number))), `not ${what} ${message}`).to.equal('none')
    const twice = numbers.filter((number, index) => number === numbers[index - 1])
    expect(summaryOf(twice), `${what} twice ${message}`).to.equal('none')
  }

  async function sendJobs(count: number, first = 0): Promise<void> {
    for (let number = first; number < first + count; number++) {
      expect(await sender.broadcast(Job, { number })).to.equal(1)
    }
  }

  it('gives each event to one worker, evenly if all are idle', async () => {
    const workers = await startWorkers(WORKERS, { manner: 'held' })
    await sendJobs(100 * WORKERS)
    for (const worker of workers) await worker.finishAll('job')
    await untilDone(workers)

    expectAll('ended', 100 * WORKERS)
    for (const worker of workers) {
      const { ended } = await worker.work('job')
      expect(ended.filter((number) => number >= 0)).to.have.lengthOf(100)
    }
  })

  it('loses only the events in flight of three killed workers, reports them, and repeats none', async () => {
    const workers = await startWorkers(WORKERS, { manner: 'in-turns' })
    const [one, two, three, ...survivors] = workers
    const victims = [one, two, three].flatMap((victim) => victim ?? [])
    const pids = new Map(sender.peers.map(({ name, pid }) => [name, pid]))
    const sending = sendJobs(JOBS)
    for (const [index, victim] of victims.entries()) {
      await victim.untilWork('job', { begun: 100 * (index + 1) })
      victim.process.kill()
    }
    await sending
    for (const { name } of victims) await untilLost(name)
    await untilDone(survivors)

    expect(logged('begun')).to.deep.equal([...new Set(logged('begun'))])
    const ended = logged('ended')
    const missing = upTo(JOBS).filter((number) => !ended.includes(number))
    const entries = readWorkLogs(bus.logs)
    const begunBySurvivors = entries.filter(({ pid, what }) => {
      return what === 'begun' && survivors.some(({ name }) => pids.get(name) === pid)
    })
    const ofSurvivors = new Set(begunBySurvivors.map(({ number }) => number))
    expect(missing.filter((number) => ofSurvivors.has(number))).to.deep.equal([])

    const unfinished = sumOf(losses, (loss) => loss.unfinished)
    const endedByVictims = ended.filter((number) => !ofSurvivors.has(number)).length
    expect(missing.length, 'lost and reported').to.be.within(unfinished - endedByVictims, unfinished)
    // Undelivered events always found another worker.
    expect(sumOf(losses, (loss) => loss.undelivered)).to.be.at.most(unfinished)
  })

  it('reports the exact number of events in flight of a killed worker', async () => {
    const [worker] = await startWorkers(1, { manner: 'held' })
    await sendJobs(20)
    await worker?.untilWork('job', { begun: 1 })

    worker?.process.kill()
    await untilLost('worker-0')

    expect(losses.get('worker-0')).to.include({ unfinished: 20, undelivered: 0 })
    expect(logged('begun')).to.deep.equal([0])
    expect(logged('ended')).to.deep.equal([])
  })

  it('gives the undelivered events of a killed worker to the others', async () => {
    const [victim, ...others] = await startWorkers(2)
    victim?.process.stop()
    const filler = new Uint8Array(64 * 1024)
    for (let number = 0; number < 100; number++) sender.broadcastNowait(Job, { number, filler })
    await others[0]?.untilWork('job', { ended: 50 })

    victim?.process.kill()
    await untilLost('worker-0')
    await untilDone(others)

    const ended = logged('ended')
    expect(ended).to.deep.equal([...new Set(ended)])
    expect(ended.length, 'more than half of all').to.be.above(50)
    const loss = losses.get('worker-0')
    expect(loss?.unfinished, 'in flight at the death').to.equal(100 - ended.length)
    expect(loss?.undelivered).to.be.at.most(loss?.unfinished ?? 0)
  })

  it('loses and repeats nothing when three workers close under load', async () => {
    const workers = await startWorkers(WORKERS, { manner: 'in-turns' })
    const [one, two, three, ...others] = workers
    const sending = sendJobs(JOBS)
    for (const [index, leaver] of [one, two, three].entries()) {
      await leaver?.untilWork('job', { begun: 100 * (index + 1) })
      await leaver?.close()
    }
    await sending
    await untilDone(others)

    expect(losses.size).to.equal(0)
    expect(Object.fromEntries(leavers)).to.deep.equal({ 'worker-0': 0, 'worker-1': 0, 'worker-2': 0 })
    expectAll('begun', JOBS)
    expectAll('ended', JOBS)
  })

  it('loses nothing when an idle worker closes while events are on their way to it', async () => {
    let sent = 0
    for (let round = 0; round < 3; round++) {
      const [leaver, ...others] = await startWorkers(2)
      let isClosed = false
      const closed = leaver?.close().then(() => {
        isClosed = true
      })
      for (; !isClosed; sent += 20, await setImmediate()) await sendJobs(20, sent)
      await closed
      await untilDone(others)
      expectAll('ended', sent, `round ${round}`)
      for (const other of others) await other.close()
    }
    expect(losses.size).to.equal(0)
  })

  it('goes on without a stopped worker, which finishes its events when it continues', async () => {
    const workers = await startWorkers(3)
    const [stopped, ...others] = workers
    stopped?.process.stop()
    await sendJobs(300)
    // It never has more in flight than each of the others was given.
    await until(() => logged('ended').length >= 200)

    // Sent after all their settlements, so now the others have nothing in flight.
    for (const other of others) {
      const reported = sender.waitFor('reported', { from: other.name })
      await until(async () => (await other.broadcast('reported')) === 1)
      await reported
    }
    await sendJobs(100, 300)
    await until(() => logged('ended').length >= 300)
    stopped?.process.continue()
    await untilDone(workers)

    expectAll('ended', 400)
    expect(losses.size).to.equal(0)
  })
})

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}

function summaryOf(numbers: readonly number[]): string {
  return numbers.length === 0 ? 'none' : `${numbers.length}, the first of them ${numbers[0]}`
}

function sumOf(losses: ReadonlyMap<string, Loss>, count: (loss: Loss) => number): number {
  return [...losses.values()].reduce((sum, loss) => sum + count(loss), 0)
}
