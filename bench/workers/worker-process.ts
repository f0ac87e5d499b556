import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Job } from './job'
import { type Message, type Milestone, type Order, type ProcessReport, parseMessage } from './message'

/** A process of the bench, as the one that has started it sees it. */
export class BenchProcess {
  readonly name: string
  /** Resolves when it has ended well, rejects when it has ended otherwise. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #messages: Message[] = []
  readonly #listeners = new Set<(message: Message) => void>()

  constructor(script: string, job: Job) {
    this.name = job.name
    // Where the channel is what is measured: the other way is faster for all but bytes, which it cannot carry.
    const serialization = job.payload === 'binary' ? 'advanced' : 'json'
    // Standard output is for the report alone.
    const child = fork(join(__dirname, '..', 'workers', script), [JSON.stringify(job)], {
      serialization,
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

  /** Resolves when it has told that it is so far. */
  async until(kind: Milestone): Promise<void> {
    await this.#first((message) => message.kind === kind || undefined)
  }

  async report(): Promise<ProcessReport> {
    return this.#first((message) => (message.kind === 'report' ? message.report : undefined))
  }

  /** What its children have told, those that have told it so far. */
  childReports(): (ProcessReport & { readonly name: string })[] {
    return this.#messages.flatMap((message) =>
      message.kind === 'childReport' ? [{ name: message.name, ...message.report }] : [],
    )
  }

  /** Sends what is measured, where this channel is what is measured. */
  send(payload: unknown): void {
    this.#child.send([payload])
  }

  /** The same, resolving when it has been written. */
  async sent(payload: unknown): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#child.send([payload], (error) => (error ? reject(error) : resolve()))
    })
  }

  onProgress(listener: (done: number) => void): void {
    this.#listeners.add((message) => message.kind === 'progress' && listener(message.done))
  }

  tell(order: Order): void {
    if (this.#child.connected) this.#child.send(order)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended.catch(() => {})
  }

  /** The first answer that a message gives, one that is there or one to come. */
  async #first<Answer>(answer: (message: Message) => Answer | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const listen = (message: Message) => {
        const found = answer(message)
        if (found === undefined) return
        this.#listeners.delete(listen)
        resolve(found)
      }
      this.#listeners.add(listen)
      for (const message of this.#messages) listen(message)
      this.ended.then(() => reject(new Error(`${this.name} has ended before its time`)), reject)
    })
  }
}
