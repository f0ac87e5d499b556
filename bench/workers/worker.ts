import { once } from 'node:events'
import { type Job, parseJob } from './job'
import type { Message, Order } from './message'

/** The process that has started this one. What passes between them is never what is measured. */
export class Orchestrator {
  readonly job: Job = parseJob(process.argv[2])
  readonly #orders: unknown[] = []

  constructor() {
    process.on('disconnect', this.#abandoned)
    process.on('message', (message) => {
      if (typeof message === 'string') this.#orders.push(message)
    })
  }

  async tell(message: Message): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (!process.send) return reject(new Error('expected to be started by the bench, got no channel to it'))
      process.send(message, undefined, undefined, (error) => (error ? reject(error) : resolve()))
    })
  }

  async until(order: Order): Promise<void> {
    while (!this.#orders.includes(order)) await once(process, 'message')
  }

  /** Nothing is left to say: the channel no longer keeps the process alive. */
  leave(): void {
    process.off('disconnect', this.#abandoned)
    process.disconnect()
  }

  readonly #abandoned = (): never => process.exit(1)
}
