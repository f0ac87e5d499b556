import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from '../multiprocess/until'

/** A report that a peer has printed. */
export type Report = Readonly<Record<string, unknown>> & { readonly what: string }

/** An interest in the form of the protocol. */
interface Entry {
  readonly type: string
  readonly from?: readonly string[] | { readonly group: string }
  readonly queue?: string
  readonly member?: number
  readonly capacity?: number
  readonly responds?: boolean
}

/** `peer.py`, or a script with the same commands, in its own process. */
export class PythonPeer {
  readonly reports: Report[] = []
  readonly #process: ChildProcess
  #errors = ''
  #exited = false

  constructor(python: string, args: readonly string[], script = 'peer.py') {
    this.#process = spawn(python, ['-B', join(__dirname, script), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const { stdout, stderr } = this.#process
    if (stdout) createInterface(stdout).on('line', (line) => this.reports.push(parseReport(line)))
    stderr?.on('data', (chunk) => {
      this.#errors += chunk
    })
    this.#process.on('close', () => {
      this.#exited = true
    })
  }

  /** All reports of one kind. */
  reportsOf(what: string): Report[] {
    return this.reports.filter((report) => report.what === what)
  }

  /** Resolves with the first matching report. */
  async reported(what: string, fits: (report: Report) => boolean = () => true): Promise<Report> {
    const found = () => this.reportsOf(what).find(fits)
    await until(() => {
      if (this.#exited && !found()) throw new Error(`expected the report of '${what}', got an exit. ${this.#errors}`)
      return found() !== undefined
    })
    return found() ?? { what }
  }

  /** Subscribes or responds; resolves when all peers have acknowledged it. */
  async want(...entries: Entry[]): Promise<void> {
    await this.#change({ entries })
  }

  async waive(...entries: Entry[]): Promise<void> {
    await this.#change({ entries, ends: true })
  }

  /** Broadcasts; each of several events has its `number`. */
  broadcast(type: string, payload: object, times = 1): void {
    this.command({ do: 'broadcast', type, payload, times })
  }

  /** Sends a request; resolves with the report of its reply. */
  async ask(id: number, to: string, type: string, payload: unknown): Promise<Report> {
    this.command({ do: 'ask', id, to, type, payload })
    await until(() => this.reports.some((report) => report.id === id))
    return this.reports.find((report) => report.id === id) ?? { what: '' }
  }

  /** Lets the handlers end that hold: those of events whose payload has `hold`. */
  finish(): void {
    this.command({ do: 'finish' })
  }

  async leave(): Promise<void> {
    this.command({ do: 'leave' })
    await this.exited()
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#process.kill(signal)
  }

  /** Resolves with the exit code, after all reports. */
  async exited(): Promise<number | null> {
    if (!this.#exited) await once(this.#process, 'close')
    if (this.#errors) throw new Error(this.#errors)
    return this.#process.exitCode
  }

  async end(): Promise<void> {
    this.#process.kill('SIGKILL')
    if (!this.#exited) await once(this.#process, 'close')
  }

  async #change(change: object): Promise<void> {
    const before = this.reportsOf('known').length
    this.command({ do: 'want', ...change })
    await until(() => this.reportsOf('known').length > before)
  }

  protected command(command: object): void {
    this.#process.stdin?.write(`${JSON.stringify(command)}\n`)
  }
}

function parseReport(line: string): Report {
  const value: unknown = JSON.parse(line)
  if (typeof value === 'object' && value !== null && 'what' in value && typeof value.what === 'string') {
    return { ...value, what: value.what }
  }
  throw new TypeError(`expected a report, got ${line}`)
}
