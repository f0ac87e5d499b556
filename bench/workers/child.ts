import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'

/** A forked script. */
export class Child {
  readonly process: ChildProcess
  /** Resolves when it exits with code 0, rejects otherwise. Never settles after a `disconnect` by this process. */
  readonly ended: Promise<void>
  /** Rejects as `ended` does, never resolves. */
  readonly failed: Promise<never>
  readonly #name: string

  /** @param name for error messages */
  constructor(name: string, script: string, args: readonly string[], options: ForkOptions = {}) {
    this.#name = name
    this.process = fork(script, args, options)
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      if (code !== 0) throw new Error(`${name} has ended with ${signal ?? `code ${code}`}`)
    })
    this.failed = new Promise((_, reject) => this.ended.catch(reject))
    this.failed.catch(() => {})
  }

  /** Resolves with the next message. @throws Error if the process ends instead */
  async message(): Promise<unknown> {
    const early = this.ended.then(() => Promise.reject(new Error(`${this.#name} has ended before its time`)))
    const [message] = await Promise.race([once(this.process, 'message'), early])
    return message
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended.catch(() => {})
  }
}
