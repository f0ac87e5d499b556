import { type Clock, systemClock, type Timer } from '../../src/platform/clock'

/** The system's clock, but for timers of one length: these go off when they are told to, and never before. */
export class HeldTimers implements Clock {
  readonly #length: number
  readonly #held = new Set<() => void>()

  /** @param length in milliseconds, by which they are known from all others */
  constructor(length: number) {
    this.#length = length
  }

  now(): number {
    return systemClock.now()
  }

  after(delay: number, call: () => void): Timer {
    if (delay !== this.#length) return systemClock.after(delay, call)
    const timer = () => call()
    this.#held.add(timer)
    return { cancel: () => this.#held.delete(timer) }
  }

  /** All that are set go off. */
  goOff(): void {
    const due = [...this.#held]
    this.#held.clear()
    for (const timer of due) timer()
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
