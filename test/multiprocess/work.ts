import { setImmediate } from 'node:timers/promises'
import type { Ledger } from './ledger'
import { fields, listOf, number, type Parser } from './parse'

const MANNERS = ['at-once', 'in-turns', 'held'] as const

/** How a handler takes its time: not at all, for some turns of the event loop, or until it is told to finish. */
export type Manner = (typeof MANNERS)[number]

/** The numbers that handlers have begun and ended, each in the order in which they did. */
export interface WorkReport {
  readonly begun: readonly number[]
  readonly ended: readonly number[]
  /** Those that nobody waits for any more. */
  readonly aborted: readonly number[]
  /** How many were under way at a time, at most. */
  readonly mostAtOnce: number
}

/** Turns of the event loop that a handler takes in turns. */
const TURNS = 5

/** What the handlers of one type have done with what they were given. */
export class Work {
  readonly begun: number[] = []
  readonly ended: number[] = []
  readonly aborted: number[] = []
  mostAtOnce = 0
  readonly #manner: Manner
  readonly #ledger: Ledger | undefined
  readonly #changed: () => void
  #held: (() => void)[] = []
  #isOpen = false

  constructor(manner: Manner, ledger: Ledger | undefined, changed: () => void) {
    this.#manner = manner
    this.#ledger = ledger
    this.#changed = changed
  }

  do(number: number): Promise<void> | undefined {
    this.#note('begun', number)
    this.mostAtOnce = Math.max(this.mostAtOnce, this.begun.length - this.ended.length)
    if (this.#manner !== 'at-once') return this.#take().then(() => this.#note('ended', number))
    this.#note('ended', number)
    return undefined
  }

  abort(number: number): void {
    this.#note('aborted', number)
  }

  /** Lets the oldest of those that are held go on, or all of them and whatever is begun later. */
  finish(which: 'oldest' | 'all'): void {
    if (which === 'all') this.#isOpen = true
    for (const finish of this.#held.splice(0, which === 'all' ? this.#held.length : 1)) finish()
  }

  async #take(): Promise<void> {
    if (this.#manner === 'held' && !this.#isOpen) {
      return new Promise((resolve) => {
        this.#held.push(resolve)
      })
    }
    for (let turn = 0; turn < TURNS; turn++) await setImmediate()
  }

  #note(what: 'begun' | 'ended' | 'aborted', number: number): void {
    this.#ledger?.write(what, number)
    this[what].push(number)
    this.#changed()
  }
}

export function parseManner(value: unknown): Manner {
  const manner = MANNERS.find((known) => known === value)
  if (manner) return manner
  throw new TypeError(`expected one of ${MANNERS.join(', ')}, got ${JSON.stringify(value)}`)
}

export const parseWorkReport: Parser<WorkReport> = (value) => {
  const { begun, ended, aborted, mostAtOnce } = fields(value)
  const numbers = listOf(number)
  return { begun: numbers(begun), ended: numbers(ended), aborted: numbers(aborted), mostAtOnce: number(mostAtOnce) }
}
