import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
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
  readonly #child: ChildProcess
  #ended = false

  constructor(name: string, args: readonly string[]) {
    this.name = name
    this.#child = spawn(name, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    this.#child.once('error', () => {
      this.#ended = true
    })
    this.#child.once('exit', () => {
      this.#ended = true
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Until it is there for others. @throws Error if it ends instead */
  async until(isReady: () => boolean): Promise<void> {
    while (!isReady()) {
      if (this.#ended) throw new Error(`${this.name} has ended before its time`)
      await setTimeout(10)
    }
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
    if (this.#ended) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
