import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** The unit of CPU times in /proc, which does not depend on the kernel's timer. */
const TICKS_PER_SECOND = 100

export function brokerVersion(name: string): string {
  const [version = 'unknown'] = /\d+(\.\d+)+/.exec(execFileSync(name, ['--version'], { encoding: 'utf8' })) ?? []
  return version
}

/** A server that a contender needs. */
export class Broker {
  readonly name: string
  /** Rejects when it ends; never resolves. */
  readonly ended: Promise<never>
  readonly #child: ChildProcess
  readonly #isReady: () => boolean

  constructor(name: string, args: readonly string[], isReady: () => boolean) {
    this.name = name
    this.#isReady = isReady
    const child = spawn(name, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    this.#child = child
    this.ended = new Promise((_, reject) => {
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`${name} has ended before its time`)))
    })
    this.ended.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** @throws Error if it ends instead */
  async ready(): Promise<void> {
    while (!this.#isReady()) await Promise.race([this.ended, setTimeout(10)])
  }

  /** Since its start. Zero on systems without /proc. */
  usage(): { cpuMicroseconds: number; rssBytes: number } {
    try {
      // The second field is a name in parentheses, which may contain spaces.
      const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      const [user = 0, system = 0, pages = 0] = [11, 12, 21].map((index) => Number(fields[index]))
      return { cpuMicroseconds: ((user + system) / TICKS_PER_SECOND) * 1e6, rssBytes: pages * 4096 }
    } catch {
      return { cpuMicroseconds: 0, rssBytes: 0 }
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended.catch(() => {})
  }
}
