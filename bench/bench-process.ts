import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { GO, type Job, type Message, parseMessage } from './message'

/** A sender or a consumer, as the one that has started it sees it. */
export class BenchProcess {
  /** Resolves when it has ended well, rejects when it has ended otherwise. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #messages: Message[] = []
  readonly #listeners = new Set<(message: Message) => void>()

  constructor(script: string, job: Job) {
    // Standard output is for the report alone.
    const child = fork(join(__dirname, script), [JSON.stringify(job)], {
      execArgv: ['-r', require.resolve('ts-node/register/transpile-only')],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    this.#child = child
    child.on('message', (value) => {
      const message = parseMessage(value)
      this.#messages.push(message)
      for (const listen of this.#listeners) listen(message)
    })
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (code === 0) resolve()
        else reject(new Error(`${job.name} has ended with ${signal ?? `code ${code}`}`))
      })
    })
    this.ended.catch(() => {})
  }

  /** The first answer that a message gives, one that is there or one to come. */
  async until<Answer>(answer: (message: Message) => Answer | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const listen = (message: Message) => {
        const found = answer(message)
        if (found === undefined) return
        this.#listeners.delete(listen)
        resolve(found)
      }
      this.#listeners.add(listen)
      for (const message of this.#messages) listen(message)
      this.ended.then(() => reject(new Error('a process has ended before its time')), reject)
    })
  }

  onProgress(listener: (sent: number) => void): void {
    this.#listeners.add((message) => message.kind === 'progress' && listener(message.sent))
  }

  go(): void {
    this.#child.send(GO)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended.catch(() => {})
  }
}
