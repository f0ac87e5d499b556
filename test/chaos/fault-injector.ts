import { setTimeout } from 'node:timers/promises'
import type { Random } from '../simulation/random'
import type { Fleet, FleetProcess } from './fleet'

/** Maximum milliseconds between two faults. */
const PAUSE = 400

/** Maximum milliseconds for which a process is stopped. */
const STOP = 3000

/** Minimum number of faults, however slow the machine is. */
const LEAST = 20

const FAULTS = { kill: 5, stop: 4, fight: 4, start: 3, unpublish: 1 }

/** Injects faults into processes, as decided by a seed. */
export class FaultInjector {
  readonly #fleet: Fleet
  readonly #names: readonly string[]
  readonly #random: Random

  constructor(fleet: Fleet, names: readonly string[], random: Random) {
    this.#fleet = fleet
    this.#names = names
    this.#random = random
  }

  /** Injects faults into this many processes for `duration` milliseconds. */
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
        // Another process replaces it before the others notice.
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
