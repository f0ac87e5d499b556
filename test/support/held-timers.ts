import { type Clock, systemClock, type Timer } from '../../src/platform/clock'

/** The system's clock, except that timers of one length fire only on demand. */
export class HeldTimers implements Clock {
  readonly #length: number
  readonly #held = new Set<() => void>()
  /** Milliseconds by which it is ahead of the system's. */
  #ahead = 0

  /** @param length milliseconds of the held timers */
  constructor(length: number) {
    this.#length = length
  }

  now(): number {
    return systemClock.now() + this.#ahead
  }

  after(delay: number, call: () => void): Timer {
    if (delay !== this.#length) return systemClock.after(delay, call)
    const timer = () => call()
    this.#held.add(timer)
    return { cancel: () => this.#held.delete(timer) }
  }

  /** Fires all held timers, as if their time had passed. */
  goOff(): void {
    this.#ahead += this.#length
    const due = [...this.#held]
    this.#held.clear()
    for (const timer of due) timer()
  }

  /** Fires all held timers as after a stall of the process: what has arrived meanwhile has not been read yet. */
  async goOffAfterStall(arrive: () => void): Promise<void> {
    // Timers fire before sockets are read in the same turn.
    await new Promise((resolve) => setTimeout(resolve, 1))
    arrive()
    this.goOff()
  }

  nextPoll(call: () => void): void {
    systemClock.nextPoll(call)
  }

  nextTick(call: () => void): void {
    systemClock.nextTick(call)
  }

  nextTurn(call: () => void): void {
    systemClock.nextTurn(call)
  }

  random(): number {
    return systemClock.random()
  }

  incarnationId(): string {
    return systemClock.incarnationId()
  }
}
