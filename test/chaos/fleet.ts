import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RemoteProcess } from '../multiprocess/remote-process'
import type { Random } from '../simulation/random'
import * as procedures from './actor-procedures'
import { type ProcessHistory, readHistory } from './merged-history'
import { monotonicNow } from './monotonic-now'
import type { RoundEvent } from './round-event'

/** How often to check for the exit of a process, and milliseconds between two checks. */
const LOOKS = 100
const INTERVAL = 100

/** The settings of a round. */
export interface FleetOptions {
  /** The bus directory. */
  readonly directory: string
  /** The directory of the log files. */
  readonly logs: string
  readonly seed: number
  readonly names: readonly string[]
}

/** A process and its number. */
export interface FleetProcess {
  readonly number: number
  readonly process: RemoteProcess
}

/** The processes of a round, and the events of the round. */
export class Fleet {
  readonly events: RoundEvent[] = []
  /** Unexpected exits. */
  readonly crashes: string[] = []
  readonly #options: FleetOptions
  readonly #random: Random
  readonly #processes = new Set<FleetProcess>()
  readonly #stopped = new Set<FleetProcess>()
  readonly #dying = new Set<FleetProcess>()
  #numbers = 0

  constructor(options: FleetOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  get processes(): readonly FleetProcess[] {
    return [...this.#processes].filter((member) => !this.#dying.has(member))
  }

  async launch(name: string): Promise<void> {
    const { directory, seed, names } = this.#options
    const number = ++this.#numbers
    const role = { directory, log: this.#logOf(number), number, seed, endpoints: names.length }
    const process = new RemoteProcess('../chaos/actor-process.ts', [JSON.stringify(role)])
    const member = { number, process }
    this.#processes.add(member)
    void process.exit.then(({ code, signal }) => {
      this.#processes.delete(member)
      if (this.#dying.delete(member)) return
      this.crashes.push(`process ${number} has ended with ${signal ?? `code ${code}`}`)
    })
    await this.start(member, name)
  }

  /** Starts an endpoint in a process, unless that process dies first. */
  async start({ process }: FleetProcess, name: string): Promise<void> {
    await process.call(procedures.start, name).catch(() => {})
  }

  async kill(member: FleetProcess): Promise<void> {
    this.#dying.add(member)
    this.events.push({ kind: 'killed', at: monotonicNow(), process: member.number })
    member.process.kill()
    await member.process.exit
  }

  stop(member: FleetProcess, milliseconds: number): void {
    if (this.#stopped.has(member)) return
    this.#stopped.add(member)
    member.process.stop()
    setTimeout(() => this.#continue(member), milliseconds).unref()
  }

  /** Removes a random socket file. */
  async unpublish(): Promise<void> {
    const { directory } = this.#options
    const file = this.#random.pick((await readdir(directory)).filter((name) => name.endsWith('.sock')))
    if (file === undefined) return
    this.events.push({ kind: 'unpublished', at: monotonicNow(), name: file.replace(/~[^~]*$/, '') })
    await rm(join(directory, file), { force: true })
  }

  /** @returns the time */
  note(kind: 'healed' | 'quiet'): number {
    const at = monotonicNow()
    this.events.push({ kind, at })
    return at
  }

  /** Ends all faults and all random actions. */
  async heal(): Promise<void> {
    for (const member of this.#stopped) this.#continue(member)
    await Promise.all(this.processes.map(({ process }) => process.call(procedures.calm, undefined)))
    this.note('healed')
  }

  /** Lets processes close their endpoints and exit. */
  async dismiss(processes: readonly FleetProcess[]): Promise<void> {
    await Promise.all(processes.map((member) => this.#dismiss(member)))
  }

  async #dismiss(member: FleetProcess): Promise<void> {
    const { process, number } = member
    await process.call(procedures.leave, undefined)
    this.#dying.add(member)
    await process.release()
    const isInTime = await hasEnded(process)
    if (!isInTime) this.events.push({ kind: 'leftover', at: monotonicNow(), what: 'process', process: number })
    process.kill()
    const { code } = await process.exit
    if (isInTime && code !== 0) this.crashes.push(`process ${number} has ended with code ${code}`)
  }

  /** Kills all remaining processes. */
  async end(): Promise<void> {
    await Promise.all(this.processes.map((member) => this.kill(member)))
  }

  /** The histories of all processes. */
  histories(): ProcessHistory[] {
    return Array.from({ length: this.#numbers }, (_, index) => readHistory(index + 1, this.#logOf(index + 1)))
  }

  #continue(member: FleetProcess): void {
    this.#stopped.delete(member)
    member.process.continue()
  }

  #logOf(number: number): string {
    return join(this.#options.logs, `process-${number}.jsonl`)
  }
}

/** Whether the process exits in time. Counts checks, so that time in which this process was blocked does not count. */
async function hasEnded({ exit }: RemoteProcess): Promise<boolean> {
  let ended = false
  void exit.then(() => {
    ended = true
  })
  for (let look = 0; look < LOOKS && !ended; look++) await sleep(INTERVAL)
  return ended
}
