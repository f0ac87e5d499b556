import { setTimeout } from 'node:timers/promises'
import { now } from './clock'

/** Lets events begin at an even rate, in bursts where the rate is higher than a timer's. */
export class Pace {
  readonly #perMicrosecond: number
  readonly #startedAt = now()

  /** @param throttle events per second, or 0 for no limit */
  constructor(throttle: number) {
    this.#perMicrosecond = throttle / 1e6
  }

  /** Returns a promise if it is too early for the event of that number. */
  before(sequence: number): Promise<void> | undefined {
    if (this.#perMicrosecond === 0) return undefined
    return this.#isDue(sequence) ? undefined : this.#untilDue(sequence)
  }

  #isDue(sequence: number): boolean {
    return (now() - this.#startedAt) * this.#perMicrosecond >= sequence
  }

  async #untilDue(sequence: number): Promise<void> {
    while (!this.#isDue(sequence)) await setTimeout(1)
  }
}
