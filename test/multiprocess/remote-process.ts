import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'valibot'
import { compilationDirectory } from './compilation'
import { bytesRead, echo, release } from './participant-procedures'
import { type Procedure, parseReply, type Reply } from './procedure'

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The user and group that a process runs as. */
export interface User {
  readonly uid?: number
  readonly gid?: number
}

/** The error of a remote call. */
export class RemoteFailure extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

interface Pending {
  readonly answered: (answer: unknown) => void
  readonly failed: (error: Error) => void
}

/** A child process under remote control. Its IPC channel carries only calls and answers, never the tested traffic. */
export class RemoteProcess {
  readonly exit: Promise<Exit>
  readonly #child: ChildProcess
  readonly #listening: Promise<void>
  readonly #pending = new Map<number, Pending>()
  #calls = 0

  /**
   * @param user the user that it runs as; default: the current one
   * @param launcher a command that runs its arguments as a command
   */
  constructor(script: string, args: readonly string[] = [], user: User = {}, launcher: readonly string[] = []) {
    const [command = process.execPath, ...rest] = [...launcher, process.execPath]
    const child = fork(join(__dirname, script), args, {
      execPath: command,
      execArgv: [...rest, '-r', join(__dirname, 'preload.js')],
      env: { ...process.env, LAHJA_TEST_COMPILED: compilationDirectory() },
      ...user,
    })
    this.#child = child
    this.exit = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
    this.#listening = new Promise((resolve, reject) => {
      child.on('message', (message) => {
        const reply = parseReply(message)
        if (reply.kind === 'listening') resolve()
        else this.#settle(reply)
      })
      void this.exit.then((exit) => {
        const error = new Error(`expected an answer, got the end of the process: ${JSON.stringify(exit)}`)
        reject(error)
        for (const { failed } of this.#pending.values()) failed(error)
      })
    })
    this.#listening.catch(() => {})
  }

  /** Resolves when calls are answered. */
  async listening(): Promise<this> {
    await this.#listening
    return this
  }

  /** @throws RemoteFailure with the code of the procedure's error */
  async call<Argument, Answer>(procedure: Procedure<Argument, Answer>, argument: Argument): Promise<Answer> {
    const id = this.#calls++
    const answer = await new Promise<unknown>((answered, failed) => {
      this.#pending.set(id, { answered, failed })
      this.#child.send({ id, procedure: procedure.name, argument }, (error) => error && failed(error))
    })
    return parse(procedure.answer, answer)
  }

  /** Resolves when earlier calls have had a turn of its event loop. */
  echo(): Promise<void> {
    return this.call(echo, undefined)
  }

  /** Bytes that it has read from all its sockets. */
  bytesRead(): Promise<number> {
    return this.call(bytesRead, undefined)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  stop(): void {
    this.#child.kill('SIGSTOP')
    untilStopped(this.#child.pid ?? 0)
  }

  continue(): void {
    this.#child.kill('SIGCONT')
  }

  /** Disconnects the IPC channel, so that it no longer keeps the process alive. */
  async release(): Promise<void> {
    await this.call(release, undefined)
    this.#child.disconnect()
  }

  #settle(reply: Exclude<Reply, { kind: 'listening' }>): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.kind === 'answered') pending?.answered(reply.answer)
    else pending?.failed(new RemoteFailure(reply.code, reply.message))
  }
}

/** Milliseconds within which the threads of a process stop, also on a busy machine. */
const STOPPING = 5000

/** A signal returns before all threads have stopped: one may still run on another core. */
function untilStopped(pid: number): void {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return
  const end = performance.now() + STOPPING
  const isRunning = (task: string) => {
    try {
      return !/\) [TtZX] /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'))
    } catch {
      return false // It has ended.
    }
  }
  while (performance.now() < end && readdirSync(tasks).some(isRunning)) {}
}
