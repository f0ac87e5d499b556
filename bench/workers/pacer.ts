import { setTimeout } from 'node:timers/promises'
import { now } from './clock'

/** Microseconds of delay that are made up for: about the lateness of a timer. */
const CATCH_UP = 10_000

/** Starts events at an even rate, in bursts where the rate is higher than a timer's. */
export class Pacer {
  readonly #interval: number
  #due = now()

  /** @param throttle events per second */
  constructor(throttle: number) {
    this.#interval = 1e6 / throttle
  }

  /** Returns a promise if it is too early for the next event. */
  next(): Promise<void> | undefined {
    const due = this.#due
    this.#due = Math.max(due, now() - CATCH_UP) + this.#interval
    return now() >= due ? undefined : untilTime(due)
  }
}

async function untilTime(due: number): Promise<void> {
  while (now() < due) await setTimeout(1)
}
