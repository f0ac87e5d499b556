import { expect } from 'chai'
import { defineEvent, type Endpoint, type Loss } from '../../src'
import { useBus } from './bus'
import { type Numbered, numberOf } from './endpoint-history'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'
import { numbersOf, readWorkLogs } from './work-log'

const Job = defineEvent<Numbered>('job')
const JOBS = 3000

describe('a queue with prefetch and workers in other processes', () => {
  const bus = useBus()
  let sender: Endpoint
  let losses: Map<string, Loss>

  beforeEach(async () => {
    sender = await bus.join('sender')
    losses = new Map()
    sender.on('lost', ({ name }, loss) => losses.set(name, loss))
  })

  async function startWorker(name: string, order: object): Promise<RemoteEndpoint> {
    const worker = await bus.start(name)
    await worker.subscribe('job', { queue: 'workers', logs: bus.logs, ...order })
    return worker
  }

  async function sendJobs(count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      expect(await sender.broadcast(Job, { number })).to.equal(1)
    }
  }

  const logged = (what: string) => numbersOf(readWorkLogs(bus.logs), what)

  /** The numbers of the events that a lost worker had begun. */
  const unfinishedOf = (name: string) => {
    return (losses.get(name)?.unfinishedEvents ?? []).map(({ payload }) => numberOf(payload))
  }

  /** Numbers in ascending order that are not handled, whatever is begun, and have not been reported either. */
  const missing = (count: number) => {
    const known = new Set([...logged('ended'), ...[...losses.keys()].flatMap(unfinishedOf)])
    return upTo(count).filter((number) => !known.has(number))
  }

  function expectNothingTwice(): void {
    const begun = logged('begun')
    expect(begun).to.deep.equal([...new Set(begun)])
  }

  for (const order of [
    { prefetch: 0, manner: 'in-turns' },
    { prefetch: 50, manner: 'in-turns' },
    { prefetch: 50, manner: 'in-turns', concurrency: 10 },
    { prefetch: 200, manner: 'at-once' },
  ]) {
    it(`handles or reports every event, and none twice, when workers are killed: ${JSON.stringify(order)}`, async () => {
      const names = ['one', 'two', 'three', 'four', 'five']
      const workers = await Promise.all(names.map((name) => startWorker(name, order)))
      const victims = workers.slice(0, 3)
      const sending = sendJobs(JOBS)
      for (const [index, victim] of victims.entries()) {
        await victim.untilWork('job', { begun: 50 * (index + 1) })
        victim.process.kill()
      }
      await sending
      await until(() => victims.every(({ name }) => losses.has(name)))
      await until(() => missing(JOBS).length === 0)
      expectNothingTwice()
      expect(sender.queues()).to.have.nested.property('[0].waiting', 0)

      // What a victim has ended, it may have had no time to tell. Nobody else has begun what it is said to have begun.
      const unfinished = victims.flatMap(({ name }) => unfinishedOf(name))
      expect(unfinished).to.deep.equal([...new Set(unfinished)])
      for (const { name } of victims) {
        expect(losses.get(name)?.unfinished).to.equal(losses.get(name)?.unfinishedEvents.length)
      }
    })
  }

  it('reports exactly the event that a killed worker had begun, and gives all others to the next', async () => {
    const victim = await startWorker('victim', { prefetch: 10, manner: 'held' })
    await sendJobs(20)
    await victim.untilWork('job', { begun: 1 })

    victim.process.kill()
    await until(() => losses.has('victim'))
    expect(losses.get('victim')).to.include({ unfinished: 1, undelivered: 0 })
    expect(losses.get('victim')?.unfinishedEvents).to.deep.equal([
      { type: 'job', payload: { number: 0 }, origin: 'sender', headers: {} },
    ])
    expect(sender.queues()).to.deep.equal([
      { name: 'workers', members: 0, inHand: 0, waiting: 19, returned: 10, redelivered: 0, dead: 0 },
    ])

    await startWorker('next', { prefetch: 0 })
    await until(() => logged('ended').length === 19)
    expect(logged('ended')).to.deep.equal(upTo(20).slice(1))
    expectNothingTwice()
  })

  it('gives what a stopped worker had not read to others once it is killed', async () => {
    const victim = await startWorker('victim', { prefetch: 1000 })
    victim.process.stop()
    const filler = new Uint8Array(8 * 1024)
    for (let number = 0; number < 300; number++) sender.broadcastNowait(Job, { number, filler })
    await startWorker('next', { prefetch: 1 })
    await until(() => logged('ended').length > 100)

    victim.process.kill()
    await until(() => losses.has('victim'))
    await until(() => missing(300).length === 0)
    expectNothingTwice()
  })

  it('gives what stopped workers have not begun to others, and none of it is begun again when they continue', async () => {
    const limits = { pingInterval: 100, silentPings: 1 }
    const impatient = await bus.join('impatient', { limits })
    const workers = await Promise.all(
      ['one', 'two', 'three'].map((name) => startWorker(name, { prefetch: 20, manner: 'slowly', concurrency: 2 })),
    )
    await impatient.waitUntilConnectedTo(['one', 'two', 'three'])
    let sent = 0
    const send = async (count: number) => {
      for (let left = count; left > 0; left--) await impatient.broadcast(Job, { number: sent++ })
    }
    for (const stopped of [workers.slice(0, 1), workers.slice(1, 3), workers.slice(0, 2)]) {
      const before = sent
      const sending = send(1000)
      await until(() => logged('begun').length > before + 100)
      for (const { process } of stopped) process.stop()
      await sending
      // Those that they had begun are theirs.
      await until(() => logged('ended').length >= sent - 2 * stopped.length)
      expect(impatient.queues()).to.have.nested.property('[0].waiting', 0)
      for (const { process } of stopped) process.continue()
      await until(() => impatient.peers.every(({ state }) => state === 'connected'))
      await until(() => logged('ended').length === sent)
      expectNothingTwice()
    }
    expect(impatient.queues()[0]?.returned).to.be.above(0)
    expect(losses.size).to.equal(0)
  })

  it('goes on in a worker whose sender is killed, with what had begun, and leaves the rest to nobody', async () => {
    const source = await bus.start('source')
    const worker = await startWorker('worker', { prefetch: 5, manner: 'held' })
    await source.waitUntilConnectedTo('worker')
    await source.broadcastNowait('job', 20)
    await worker.untilWork('job', { begun: 1 })
    source.process.kill()
    await worker.untilNotice('lost', 'source')

    await sendJobs(3)
    await worker.finishAll('job')
    await worker.untilWork('job', { ended: 4 })
    expect((await worker.work('job')).begun).to.deep.equal([0, 0, 1, 2])
  })

  it('loses and repeats nothing when workers close under load', async () => {
    const workers = await Promise.all(
      ['one', 'two', 'three', 'four'].map((name) => startWorker(name, { prefetch: 20, manner: 'in-turns' })),
    )
    const sending = sendJobs(JOBS)
    for (const [index, leaver] of workers.slice(0, 3).entries()) {
      await leaver.untilWork('job', { begun: 100 * (index + 1) })
      await leaver.close()
    }
    await sending
    await until(() => logged('ended').length >= JOBS)
    expect(logged('ended')).to.deep.equal(upTo(JOBS))
    expectNothingTwice()
    expect(losses.size).to.equal(0)
  })
})

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}
