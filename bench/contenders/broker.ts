import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** What Linux counts CPU time in, whatever the kernel's own timer does. */
const TICKS_PER_SECOND = 100

export function brokerVersion(name: string): string {
  const [version = 'unknown'] = /\d+(\.\d+)+/.exec(execFileSync(name, ['--version'], { encoding: 'utf8' })) ?? []
  return version
}

/** A server that some contenders cannot do without. */
export class Broker {
  readonly name: string
  /** Rejects when it ends, which it does not do of itself. */
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

  /** Resolves when it is there for others. @throws Error if it ends instead */
  async ready(): Promise<void> {
    while (!this.#isReady()) await Promise.race([this.ended, setTimeout(10)])
  }

  /** What it has used so far. Zero where there is no /proc. */
  usage(): { cpuMicroseconds: number; rssBytes: number } {
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
      // The second field is a name in parentheses, which may hold blanks.
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number)
      const [user = 0, system = 0] = fields.slice(11, 13)
      const pages = fields[21] ?? 0
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
