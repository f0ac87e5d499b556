import { once } from 'node:events'
import { GO, type Job, type Message, parseJob } from './message'

/** The process that has started this one. What passes between them is never what is measured. */
export class Orchestrator {
  readonly job: Job = parseJob(process.argv[2])

  constructor() {
    process.on('disconnect', this.#abandoned)
  }

  async tell(message: Message): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (!process.send) return reject(new Error('expected to be started by the bench, got no channel to it'))
      process.send(message, undefined, undefined, (error) => (error ? reject(error) : resolve()))
    })
  }

  async untilGo(): Promise<void> {
    let message: unknown
    while (message !== GO) [message] = await once(process, 'message')
  }

  /** Nothing is left to say: the channel no longer keeps the process alive. */
  leave(): void {
    process.off('disconnect', this.#abandoned)
    process.disconnect()
  }

  readonly #abandoned = (): never => process.exit(1)
}
