import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Notice, noticeIn } from './notice'
import type { Total } from './tally'

/** One of the four processes, of which the census sees only the output. */
export class Participant {
  readonly name: string
  /** Resolves to the exit code when all output has been shown. */
  readonly ended: Promise<number>
  readonly #child: ChildProcess
  readonly #notices = new EventEmitter()
  readonly #heard = new Set<Notice['kind']>()
  #total: Total | undefined

  constructor(name: string, args: readonly string[], directory: string, show: (name: string, text: string) => void) {
    this.name = name
    // With the flags of this process, so that TypeScript is compiled the same way.
    const command = [...process.execArgv, join(__dirname, `${name}.ts`), ...args]
    const child = spawn(process.execPath, command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LAHJA_DIRECTORY: directory },
    })
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (text) => {
      const notice = noticeIn(text)
      if (notice) this.#take(notice)
      else show(name, text)
    })
    createInterface({ input: child.stderr }).on('line', (text) => show(name, text))
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? 1))
    })
    this.ended.catch(() => {})
  }

  /** Its total; undefined if it has not reported one. */
  get total(): Total | undefined {
    return this.#total
  }

  /** Resolves to true at the first notice of this kind, or to false if the process ends without one. */
  until(kind: Notice['kind']): Promise<boolean> {
    if (this.#heard.has(kind)) return Promise.resolve(true)
    return Promise.race([once(this.#notices, kind).then(() => true), this.ended.then(() => false)])
  }

  async end(): Promise<void> {
    this.#child.kill()
    await this.ended.catch(() => {})
  }

  #take(notice: Notice): void {
    this.#heard.add(notice.kind)
    if (notice.kind === 'total') this.#total = notice.total
    this.#notices.emit(notice.kind)
  }
}
