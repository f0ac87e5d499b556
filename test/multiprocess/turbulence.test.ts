import { expect } from 'chai'
import { defineEvent } from '../../src'
import { useBus } from './bus'
import { type Numbered, numberOf } from './endpoint-history'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'
import { numbersOf, readWorkLogs, WorkLog } from './work-log'

/** Of the senders that close in between, each; and of the one that stays. */
const FEW = 10_000
const MANY = 80_000

const JOBS = 2 * FEW + MANY

/** One job in this many has a key. */
const KEYED = 10
const KEYS = 50

/** The workers, of different speed. */
const ORDERS = [
  { prefetch: 'auto', manner: 'at-once' },
  { prefetch: 'auto', manner: 'in-turns', concurrency: 5 },
  { prefetch: 'auto', manner: 'slowly', concurrency: 10 },
  { prefetch: 50, manner: 'in-turns' },
  { prefetch: 100, manner: 'at-once' },
  { prefetch: 0, manner: 'in-turns', concurrency: 20 },
  { prefetch: 'auto', manner: 'in-turns' },
  { prefetch: 20, manner: 'slowly', concurrency: 20 },
] as const

const keyOf = (number: number) => (number % KEYED === 0 ? (number / KEYED) % KEYS : undefined)

describe('A queue of eight workers, of which some are killed, stopped and restarted, while senders close', () => {
  const bus = useBus()

  async function startWorker(index: number): Promise<RemoteEndpoint> {
    const worker = await bus.start(`worker-${index}`)
    for (const type of ['job', 'keyed']) {
      await worker.subscribe(type, { queue: 'workers', logs: bus.logs, ...ORDERS[index] })
    }
    return worker
  }

  const logged = (what: string) => numbersOf(readWorkLogs(bus.logs), what)

  for (const redeliver of [0, 5]) {
    const promise = redeliver === 0 ? 'handled once or reported' : 'handled at least once'
    it(`has each of ${JOBS.toLocaleString('en')} jobs ${promise}, those of a key in order (G5)`, async () => {
      const limits = { pingInterval: 100, silentPings: 2 }
      const again = redeliver > 0 ? { redeliver } : {}
      const Job = defineEvent<Numbered>('job', again)
      const partition = ({ number }: Numbered) => String(keyOf(number))
      const Keyed = defineEvent<Numbered>('keyed', { ...again, partition })
      const workers = await Promise.all(ORDERS.map((_, index) => startWorker(index)))
      const sender = await bus.join('sender', { limits })
      const reports = new WorkLog(bus.logs)
      sender.on('unfinished', ({ event }) => reports.write('reported', numberOf(event.payload)))
      const closing = await Promise.all(['source-0', 'source-1'].map((name) => bus.start(name, { limits })))
      for (const source of closing) {
        await source.defineEvent('job', again)
        await source.logUnfinished(bus.logs)
        for (const { name } of workers) await source.waitUntilConnectedTo(name)
      }
      await sender.waitUntilConnectedTo(workers.map(({ name }) => name))
      await sender.waitUntilAnyEndpointSubscribedTo('keyed')

      const sent = closing.map((source, index) => source.broadcast('job', FEW, MANY + index * FEW))
      const sending = (async () => {
        for (let number = 0; number < MANY; number++)
          await sender.broadcast(keyOf(number) === undefined ? Job : Keyed, { number })
      })()
      const done = () => logged('ended').length
      for (const [round, worker] of workers.slice(0, 3).entries()) {
        await until(() => done() > (round + 1) * (JOBS / 12))
        worker.process.kill()
      }
      await sent[0]
      await closing[0]?.close()
      for (const { process } of workers.slice(3, 5)) process.stop()
      const before = done()
      await until(() => done() > before + JOBS / 12)
      const restarted = [startWorker(0), startWorker(1)]
      for (const { process } of workers.slice(3, 5)) process.continue()
      await Promise.all(restarted)
      await sent[1]
      await closing[1]?.close()
      await sending

      const missing = () => {
        const known = new Set([...logged('ended'), ...(redeliver === 0 ? logged('reported') : [])])
        return Array.from({ length: JOBS }, (_, number) => number).filter((number) => !known.has(number))
      }
      await until(() => done() + logged('reported').length >= JOBS && missing().length === 0)
      const log = readWorkLogs(bus.logs)
      const begun = log.filter(({ what }) => what === 'begun').map(({ number }) => number)
      if (redeliver === 0) expect(begun).to.have.lengthOf(new Set(begun).size)
      const last = new Map<number, number>()
      for (const number of begun) {
        const key = keyOf(number)
        if (key === undefined || number >= MANY) continue
        expect(number, `of key ${key}`).to.be.at.least(last.get(key) ?? 0)
        last.set(key, number)
      }
      await until(() => sender.queues().every(({ waiting, inHand }) => waiting + inHand === 0))
    })
  }
})
