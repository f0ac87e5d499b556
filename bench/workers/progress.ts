import type { Orchestrator } from './worker'

/** Parts of the work after which progress is told. */
const STEPS = 20

/** Tells how far the work is, seldom enough to cost nothing. */
export class Progress {
  readonly #orchestrator: Orchestrator
  readonly #step: number
  #next: number

  constructor(events: number, orchestrator: Orchestrator) {
    this.#orchestrator = orchestrator
    this.#step = Math.ceil(events / STEPS)
    this.#next = this.#step
  }

  at(done: number): void {
    if (done < this.#next) return
    this.#next += this.#step
    void this.#orchestrator.tell({ kind: 'progress', done })
  }
}
