import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

/** A script of this example, run as its own process. Its output is passed on. */
export class Script {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #ended: Promise<unknown[]>

  constructor(name: string, ...args: readonly string[]) {
    // With the flags of this process, so that TypeScript is compiled the same way.
    const command = [...process.execArgv, join(__dirname, `${name}.ts`), ...args]
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#name = name
    this.#child = child
    this.#lines = createInterface({ input: child.stdout }).on('line', (line) => console.log(line))
    this.#ended = once(child, 'close')
    process.once('exit', () => child.kill())
  }

  /** Resolves the next time this line is printed; rejects if the process ends before that. */
  async untilPrinted(expected: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#lines.on('line', (line) => line === expected && resolve())
      this.#child.once('close', () => reject(new Error(`${this.#name} has ended without '${expected}'`)))
    })
  }

  /** Sends SIGTERM, as a supervisor does, and resolves when the process has ended. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM')
    const [code] = await this.#ended
    if (code !== 0) throw new Error(`${this.#name} has failed, with exit code ${code}`)
  }
}
