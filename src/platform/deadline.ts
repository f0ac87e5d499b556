import type { Clock } from './clock'

/** The end of a span of time that several steps share. */
export class Deadline {
  readonly #clock: Clock
  readonly #end: number

  /** @param timeout milliseconds from now */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock
    this.#end = clock.now() + timeout
  }

  /** Milliseconds left, 0 from the deadline on. */
  get left(): number {
    return Math.max(this.#end - this.#clock.now(), 0)
  }

  /** This deadline, or one in `timeout` milliseconds if that is earlier. */
  within(timeout: number): Deadline {
    return new Deadline(this.#clock, Math.min(this.left, timeout))
  }
}
