import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { compilationDirectory } from '../multiprocess/compilation'

const ROOT = join(__dirname, '..', '..')
const PRELOAD = join(ROOT, 'test', 'multiprocess', 'preload.js')

/** Corrupts the broadcasts of a program that this is loaded ahead of. */
export const FAULTY_BROADCAST = join(__dirname, 'faulty-broadcast.ts')

/** The arguments before a script on its command line, and the environment they need. */
interface Loader {
  readonly before: readonly string[]
  readonly needs: Readonly<Record<string, string>>
}

const READY: Loader = { before: [], needs: {} }
const COMPILER: Loader = { before: ['-r', 'ts-node/register/transpile-only'], needs: {} }

function loaderOf(script: string, compilesItself: boolean, preload: string | undefined): Loader {
  const isTypeScript = script.endsWith('.ts')
  if (isTypeScript && compilesItself) return COMPILER
  if (!isTypeScript && !preload) return READY
  return {
    before: ['-r', PRELOAD],
    needs: {
      LAHJA_TEST_COMPILED: compilationDirectory(),
      ...(preload && { NODE_OPTIONS: `-r "${PRELOAD}" -r "${preload}"` }),
    },
  }
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A script of this repository, run like a user runs it: with arguments and input, and with output and an exit code. */
export class Program {
  readonly ended: Promise<Outcome>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''

  constructor(script: string, args: readonly string[], options: ProgramOptions) {
    const { input = '', env = {}, preload, compilesItself = false, cwd = ROOT } = options
    // Its own process group, so that its children can be killed with it.
    const { before, needs } = loaderOf(script, compilesItself, preload)
    const child = spawn(process.execPath, [...before, resolve(cwd, script), ...args], {
      cwd,
      detached: true,
      env: { ...process.env, ...needs, ...env },
    })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // A script that does not read its input may exit before it is written.
    child.stdin.on('error', () => {}).end(input)
    this.ended = once(child, 'close').then(([code]) => ({
      code: typeof code === 'number' ? code : null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  /** Kills the child process that runs this script. */
  killStarted(script: string): void {
    const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
    const found = processes.find((line) => line.includes(` ${this.#child.pid} `) && line.includes(`/${script}`))
    if (!found) throw new Error(`expected ${script} among\n${processes.join('\n')}`)
    process.kill(Number.parseInt(found, 10), 'SIGKILL')
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get stdout(): string {
    return this.#stdout
  }

  /** Resolves when a text has been printed; rejects if the program exits before. */
  async untilPrinted(text: string): Promise<void> {
    const isPrinted = () => this.#stdout.includes(text) || this.#stderr.includes(text)
    await new Promise<void>((resolve, reject) => {
      const check = () => isPrinted() && resolve()
      this.#child.stdout?.on('data', check)
      this.#child.stderr?.on('data', check)
      check()
      void this.ended.then((outcome) => reject(new Error(`expected '${text}', got ${JSON.stringify(outcome)}`)))
    })
  }

  signal(signal: 'SIGHUP' | 'SIGINT' | 'SIGKILL' | 'SIGTERM'): void {
    this.#child.kill(signal)
  }

  /** Kills it and its children. */
  async kill(): Promise<void> {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // All processes have exited already.
    }
    await this.ended
  }
}

export interface ProgramOptions {
  /** Path of a module that is loaded ahead of the script, and ahead of the scripts of its children. */
  readonly preload?: string
  /** Whether the script and its children are compiled at run time, like for a user; this takes each a second. */
  readonly compilesItself?: boolean
  /** Standard input. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Its working directory, in which the script is. Default: the root of this repository. */
  readonly cwd?: string
}

/** Runs programs for the tests of the suite that calls this; none outlives its test. */
export function programs() {
  const started: Program[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((program) => program.kill()))
  })
  return (script: string, args: readonly string[] = [], options: ProgramOptions = {}): Program => {
    const program = new Program(script, args, options)
    started.push(program)
    return program
  }
}
