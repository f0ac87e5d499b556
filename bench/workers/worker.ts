import { once } from 'node:events'
import type { Station } from '../contenders/contender'
import { contenderOf } from '../contenders/registry'
import { type Job, parseJob } from './job'
import { emptyReport, type Message, type Order, type ProcessReport } from './message'

/** The part of one process in a round. */
export interface Part {
  /** Connects to the other processes, all of which have joined. */
  listen(): Promise<void>
  /** Sends everything. */
  send?(): Promise<void>
  /** Resolves when everything has been received. */
  receive?(): Promise<void>
  report(): Partial<ProcessReport>
  /** Stops the child processes and returns their reports. */
  stopChildren?(): Promise<readonly ProcessReport[]>
}

/** The surroundings of a part. */
export interface Place {
  readonly job: Job
  readonly station: Station
  /** Reports progress to the program: to be called with every event done. */
  readonly progress: (done: number) => void
}

const PROGRESS_STEPS = 20

/** Runs one process of a round, which the orders of `WorkerProcess` lead through it. */
export function runWorker(partOf: (place: Place) => Part): void {
  void run(partOf)
}

async function run(partOf: (place: Place) => Part): Promise<void> {
  const job = parseJob(process.argv[2])
  const orders = new Set<unknown>()
  process.on('message', (message) => {
    if (typeof message === 'string') orders.add(message)
  })
  const until = async (order: Order) => {
    while (!orders.has(order)) await once(process, 'message')
  }
  const onAbandoned = () => process.exit(1)
  process.on('disconnect', onAbandoned)

  const station = await contenderOf(job.contender).join(job)
  const part = partOf({ job, station, progress: progressOf(job) })
  await tell({ kind: 'joined' })
  await until('listen')
  await part.listen()
  await tell({ kind: 'ready' })
  await until('go')
  await part.send?.()
  await tell({ kind: 'sent' })
  // Not awaited: `stop` comes also when events are lost.
  void Promise.resolve(part.receive?.()).then(() => tell({ kind: 'received' }))
  await until('stop')
  const report = { ...emptyReport(job.name, job.number), ...part.report() }
  await tell({ kind: 'report', reports: [report, ...((await part.stopChildren?.()) ?? [])] })
  await station.close()
  process.off('disconnect', onAbandoned)
  process.disconnect()
}

function progressOf({ warmUp, events }: Job): Place['progress'] {
  const step = Math.ceil((warmUp + events) / PROGRESS_STEPS)
  let next = step
  return (done) => {
    if (done < next) return
    next += step
    void tell({ kind: 'progress', done })
  }
}

async function tell(message: Message): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (!process.send) return reject(new Error('expected to be started by the bench, got no channel to it'))
    process.send(message, undefined, undefined, (error) => (error ? reject(error) : resolve()))
  })
}
