import { join } from 'node:path'
import { Child } from './child'
import type { Job } from './job'
import { type Message, type Order, type ProcessReport, parseMessage } from './message'

/** A worker, as seen by the process that has started it; see `runWorker` for the other end. */
export class WorkerProcess extends Child {
  readonly #told = new Set<Message['kind']>()
  #reports: readonly ProcessReport[] = []

  constructor(script: string, job: Job, onProgress = (_done: number) => {}) {
    super(job.name, join(__dirname, script), [JSON.stringify(job)], {
      // The events of `ipc` take this channel: JSON is faster, but cannot hold bytes.
      serialization: job.payload === 'binary' ? 'advanced' : 'json',
      // Standard output is for the report alone.
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    this.process.on('message', (value) => {
      const message = parseMessage(value)
      this.#told.add(message.kind)
      if (message.kind === 'progress') onProgress(message.done)
      if (message.kind === 'report') this.#reports = message.reports
    })
  }

  /** Resolves when the worker has sent such a message. */
  async until(kind: Message['kind']): Promise<void> {
    while (!this.#told.has(kind)) await this.message()
  }

  tell(order: Order): void {
    if (this.process.connected) this.process.send(order)
  }

  /** Stops the worker. Its own report is the first. */
  async stop(): Promise<readonly ProcessReport[]> {
    this.tell('stop')
    await this.until('report')
    await this.ended
    return this.#reports
  }
}

/** Lets workers join and listen to each other. */
export async function connect(workers: readonly WorkerProcess[]): Promise<void> {
  await reach('joined', workers)
  tell('listen', workers)
  await reach('ready', workers)
}

export function tell(order: Order, workers: readonly WorkerProcess[]): void {
  for (const worker of workers) worker.tell(order)
}

/** Resolves when all workers have sent such a message. */
export async function reach(kind: Message['kind'], workers: readonly WorkerProcess[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.until(kind)))
}

/** Stops all workers and returns their reports. */
export async function collect(workers: readonly WorkerProcess[]): Promise<ProcessReport[]> {
  return (await Promise.all(workers.map((worker) => worker.stop()))).flat()
}
