import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RemoteProcess } from '../multiprocess/remote-process'
import type { Random } from '../simulation/random'
import * as procedures from './actor-procedures'
import type { Fate } from './fate'
import { moment } from './moment'
import { readTestimony, type Testimony } from './testimony'

/** Looks at a process that nothing should keep alive, and milliseconds between two of them. */
const LOOKS = 100
const INTERVAL = 100

/** What makes up a round, beside its seed. */
export interface Cast {
  /** Of the bus. */
  readonly directory: string
  /** Where the processes write down what they do. */
  readonly logs: string
  readonly seed: number
  readonly names: readonly string[]
}

/** A process, by its number. */
export interface Player {
  readonly number: number
  readonly process: RemoteProcess
}

/** Processes that are started, stopped and killed, and what was done to them. */
export class Arena {
  readonly fates: Fate[] = []
  /** Processes that have ended of themselves, in a way that nobody asked for. */
  readonly crashes: string[] = []
  readonly #cast: Cast
  readonly #random: Random
  readonly #players = new Set<Player>()
  readonly #stopped = new Set<Player>()
  readonly #dying = new Set<Player>()
  #numbers = 0

  constructor(cast: Cast, random: Random) {
    this.#cast = cast
    this.#random = random
  }

  get players(): readonly Player[] {
    return [...this.#players].filter((player) => !this.#dying.has(player))
  }

  async raise(name: string): Promise<void> {
    const { directory, seed, names } = this.#cast
    const number = ++this.#numbers
    const role = { directory, log: this.#logOf(number), number, seed, endpoints: names.length }
    const process = new RemoteProcess('../chaos/actor-process.ts', [JSON.stringify(role)])
    const player = { number, process }
    this.#players.add(player)
    void process.exit.then(({ code, signal }) => {
      this.#players.delete(player)
      if (this.#dying.delete(player)) return
      this.crashes.push(`process ${number} has ended with ${signal ?? `code ${code}`}`)
    })
    await this.start(player, name)
  }

  /** Has a process begin a life of that name, if nothing happens to it before. */
  async start({ process }: Player, name: string): Promise<void> {
    await process.call(procedures.start, name).catch(() => {})
  }

  async kill(player: Player): Promise<void> {
    this.#dying.add(player)
    this.fates.push({ kind: 'killed', at: moment(), process: player.number })
    player.process.kill()
    await player.process.exit
  }

  stop(player: Player, milliseconds: number): void {
    if (this.#stopped.has(player)) return
    this.#stopped.add(player)
    player.process.stop()
    setTimeout(() => this.#continue(player), milliseconds).unref()
  }

  /** Removes the socket file of one of them. */
  async unpublish(): Promise<void> {
    const { directory } = this.#cast
    const file = this.#random.pick((await readdir(directory)).filter((name) => name.endsWith('.sock')))
    if (file === undefined) return
    this.fates.push({ kind: 'unpublished', at: moment(), name: file.replace(/~[^~]*$/, '') })
    await rm(join(directory, file), { force: true })
  }

  /** @returns the moment */
  note(kind: 'healed' | 'quiet'): number {
    const at = moment()
    this.fates.push({ kind, at })
    return at
  }

  /** Nothing is done to anybody any more, and nobody does anything. */
  async heal(): Promise<void> {
    for (const player of this.#stopped) this.#continue(player)
    await Promise.all(this.players.map(({ process }) => process.call(procedures.calm, undefined)))
    this.note('healed')
  }

  /** Lets processes close all they have, and end of themselves. */
  async dismiss(players: readonly Player[]): Promise<void> {
    await Promise.all(players.map((player) => this.#dismiss(player)))
  }

  async #dismiss(player: Player): Promise<void> {
    const { process, number } = player
    await process.call(procedures.leave, undefined)
    this.#dying.add(player)
    await process.release()
    const isInTime = await hasEnded(process)
    if (!isInTime) this.fates.push({ kind: 'leftover', at: moment(), what: 'process', process: number })
    process.kill()
    const { code } = await process.exit
    if (isInTime && code !== 0) this.crashes.push(`process ${number} has ended with code ${code}`)
  }

  /** Kills whoever is left. */
  async end(): Promise<void> {
    await Promise.all(this.players.map((player) => this.kill(player)))
  }

  /** What all processes have written down. */
  testimonies(): Testimony[] {
    return Array.from({ length: this.#numbers }, (_, index) => readTestimony(index + 1, this.#logOf(index + 1)))
  }

  #continue(player: Player): void {
    this.#stopped.delete(player)
    player.process.continue()
  }

  #logOf(number: number): string {
    return join(this.#cast.logs, `process-${number}.jsonl`)
  }
}

/** Does it end? Time in which this process, too, got no turn is not counted. */
async function hasEnded({ exit }: RemoteProcess): Promise<boolean> {
  let ended = false
  void exit.then(() => {
    ended = true
  })
  for (let look = 0; look < LOOKS && !ended; look++) await sleep(INTERVAL)
  return ended
}
