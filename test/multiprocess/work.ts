import { setImmediate, setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import type { WorkLog } from './work-log'

/** How a handler takes its time: not at all, for some turns of the event loop, for 2 ms, or until it is told to finish. */
export const manner = v.picklist(['at-once', 'in-turns', 'slowly', 'held'])

export type Manner = v.InferOutput<typeof manner>

const numbers = v.array(v.number())

/** The numbers that handlers have begun, ended and aborted, each in order. */
export const workReport = v.object({
  begun: numbers,
  ended: numbers,
  aborted: numbers,
  /** The most handlers that ran at a time. */
  mostAtOnce: v.number(),
})

export type WorkReport = v.InferOutput<typeof workReport>

/** Turns of the event loop that a handler takes in turns. */
const TURNS = 5

/** The work of the handlers of one type. */
export class Work {
  readonly begun: number[] = []
  readonly ended: number[] = []
  readonly aborted: number[] = []
  mostAtOnce = 0
  readonly #manner: Manner
  readonly #log: WorkLog | undefined
  readonly #changed: () => void
  #held: (() => void)[] = []
  #isOpen = false

  constructor(manner: Manner, log: WorkLog | undefined, changed: () => void) {
    this.#manner = manner
    this.#log = log
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

  /** Lets the oldest held handler end, or all of them and all later ones. */
  finish(which: 'oldest' | 'all'): void {
    if (which === 'all') this.#isOpen = true
    for (const finish of this.#held.splice(0, which === 'all' ? this.#held.length : 1)) finish()
  }

  async #take(): Promise<void> {
    if (this.#manner === 'slowly') return void (await setTimeout(2))
    if (this.#manner === 'held' && !this.#isOpen) {
      return new Promise((resolve) => {
        this.#held.push(resolve)
      })
    }
    for (let turn = 0; turn < TURNS; turn++) await setImmediate()
  }

  #note(what: 'begun' | 'ended' | 'aborted', number: number): void {
    this.#log?.write(what, number)
    this[what].push(number)
    this.#changed()
  }
}
