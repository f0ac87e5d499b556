import type { Clock, Timer } from '../../src/platform/clock'
import type { Host } from './host'
import type { Random } from './random'

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'

/** The clock and random numbers of a simulated process. */
export class VirtualClock implements Clock {
  readonly #host: Host
  readonly #random: Random

  constructor(host: Host, random: Random) {
    this.#host = host
    this.#random = random
  }

  now(): number {
    return this.#host.now
  }

  after(delay: number, call: () => void): Timer {
    return this.#host.timer(delay, call)
  }

  /** Part of the same turn, since the timeline completes all microtasks of a turn. */
  nextTick(call: () => void): void {
    process.nextTick(call)
  }

  nextTurn(call: () => void): void {
    this.#host.schedule(0, call)
  }

  nextPoll(call: () => void): void {
    this.#host.schedule(0, () => {
      this.#host.poll()
      call()
    })
  }

  random(): number {
    return this.#random.float()
  }

  incarnationId(): string {
    return Array.from({ length: 13 }, () => DIGITS.charAt(this.#random.between(0, 35))).join('')
  }
}
