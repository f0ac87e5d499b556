import { setTimeout } from 'node:timers/promises'
import type { Random } from '../simulation/random'
import type { Fleet, FleetProcess } from './fleet'

/** Milliseconds between two faults, at most. */
const PAUSE = 400

/** Milliseconds for which a process is stopped, at most. */
const STOP = 3000

/** However slow the machine is. */
const LEAST = 20

const FAULTS = { kill: 5, stop: 4, fight: 4, start: 3, unpublish: 1 }

/** What happens to processes, when and to whom: as a seed decides. */
export class FaultInjector {
  readonly #fleet: Fleet
  readonly #names: readonly string[]
  readonly #random: Random

  constructor(fleet: Fleet, names: readonly string[], random: Random) {
    this.#fleet = fleet
    this.#names = names
    this.#random = random
  }

  /** With so many processes, for so many milliseconds. */
  async run(processes: number, duration: number): Promise<void> {
    const raised = this.#names.slice(0, processes).map((name) => this.#fleet.launch(name))
    await Promise.all(raised)
    const end = performance.now() + duration
    const restarts: Promise<void>[] = []
    for (let count = 0; performance.now() < end || count < LEAST; count++) {
      await setTimeout(this.#random.float() * PAUSE)
      await this.#inject(restarts)
    }
    await Promise.all(restarts)
  }

  async #inject(restarts: Promise<void>[]): Promise<void> {
    const random = this.#random
    const fault = random.weighted(FAULTS)
    const [first, second, name] = [this.#member(), this.#member(), random.pick(this.#names)]
    const time = random.between(1, STOP)
    if (!first || !second || name === undefined) return
    switch (fault) {
      case 'kill':
        // Somebody else takes its place, while others have yet to notice.
        restarts.push(this.#fleet.kill(first))
        restarts.push(this.#fleet.launch(name))
        return
      case 'stop':
        return this.#fleet.stop(first, time)
      case 'fight':
        void this.#fleet.start(first, name)
        void this.#fleet.start(second, name)
        return
      case 'start':
        void this.#fleet.start(first, name)
        return
      case 'unpublish':
        return this.#fleet.unpublish()
    }
  }

  #member(): FleetProcess | undefined {
    return this.#random.pick(this.#fleet.processes)
  }
}
