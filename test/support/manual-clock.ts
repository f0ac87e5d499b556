import type { Clock, Timer } from '../../src/platform/clock'

interface Appointment extends Timer {
  readonly at: number
  readonly call: () => void
}

/** A clock that the test advances. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Appointment>()
  #deferred: (() => void)[] = []
  #now = 0
  #ids = 0

  /** Pending timers: neither fired nor cancelled. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  after(delay: number, call: () => void): Timer {
    const timer: Appointment = { at: this.#now + delay, call, cancel: () => this.#timers.delete(timer) }
    this.#timers.add(timer)
    return timer
  }

  nextTick(call: () => void): void {
    this.#deferred.push(call)
  }

  nextTurn(call: () => void): void {
    this.#deferred.push(call)
  }

  nextPoll(call: () => void): void {
    this.#deferred.push(call)
  }

  random(): number {
    return 0.5
  }

  incarnationId(): string {
    return (this.#ids++).toString(36).padStart(13, '0')
  }

  /**
   * Advances by milliseconds. Due timers fire in order, each followed by what it defers to the next turn, and may set
   * timers that become due too.
   */
  advance(milliseconds: number): void {
    this.#pass(milliseconds, (timer) => {
      const others = this.#deferred.splice(0)
      timer.call()
      for (const call of this.#deferred.splice(0)) call()
      this.#deferred = [...others, ...this.#deferred]
    })
  }

  /**
   * Advances as if the process had been stopped: due timers fire, and what has arrived meanwhile is read only now, before
   * what they have deferred to the end of the turn.
   */
  stall(milliseconds: number): void {
    this.#pass(milliseconds, (timer) => timer.call())
  }

  /** Ends the turn of the event loop, and each turn that begins then. */
  turn(): void {
    while (this.#deferred.length > 0) for (const call of this.#deferred.splice(0)) call()
  }

  #pass(milliseconds: number, fire: (timer: Appointment) => void): void {
    const until = this.#now + milliseconds
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)
      if (!next) break
      this.#timers.delete(next)
      this.#now = next.at
      fire(next)
    }
    this.#now = until
  }
}
