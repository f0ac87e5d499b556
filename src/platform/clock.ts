/** A pending call. */
export interface Timer {
  cancel(): void
  /** Changes whether the process stays alive for it. A clock whose timers can't has none of it. */
  keepAlive?(isNeeded: boolean): void
}

/** Time and randomness. The core has no other access to them, so that tests and the simulation can replace both. */
export interface Clock {
  /** Milliseconds of a monotonic clock, independent of the system's date. */
  now(): number
  /**
   * Calls once, after `delay` milliseconds.
   *
   * @param keepsAlive whether the process stays alive for it, as somebody waits. Default false
   */
  after(delay: number, call: () => void, keepsAlive?: boolean): Timer
  /** Calls at the end of the current tick, before any I/O: `process.nextTick`. */
  nextTick(call: () => void): void
  /** Calls in the next turn of the event loop, after pending I/O: `setImmediate`. */
  nextTurn(call: () => void): void
  /** Calls once all that had arrived by the time of this call has been read: sockets are read between two turns. */
  nextPoll(call: () => void): void
  /** A number in [0, 1). */
  random(): number
  /** A unique id for one incarnation of an endpoint: 64 random bits as 13 characters of [0-9a-z]. */
  incarnationId(): string
}

/**
 * Calls after `delay` milliseconds and one turn more, so that what has arrived by then has been read: for verdicts on a
 * peer, which must not pay for the time that this process was stopped or busy.
 */
export function judgeAfter(clock: Clock, delay: number, call: () => void, keepsAlive?: boolean): Timer {
  let isCancelled = false
  const timer = clock.after(delay, () => clock.nextTurn(() => isCancelled || call()), keepsAlive)
  return {
    cancel() {
      isCancelled = true
      timer.cancel()
    },
  }
}

// Taken when this module is loaded, so that timers that a test framework fakes later stop nobody's traffic.
const { setTimeout, clearTimeout, setImmediate } = globalThis
const { nextTick, hrtime } = process

export const systemClock: Clock = {
  // Not `performance`, nor `crypto` below: loading them took a third of the time to join an empty bus.
  now() {
    const [seconds, nanoseconds] = hrtime()
    return seconds * 1000 + nanoseconds / 1e6
  },
  after(delay, call, keepsAlive = false) {
    const timer = setTimeout(call, delay)
    // Where a browser is imitated, timers are numbers.
    if (!keepsAlive && typeof timer === 'object') timer.unref()
    return {
      cancel: () => clearTimeout(timer),
      keepAlive(isNeeded) {
        if (typeof timer === 'object') isNeeded ? timer.ref() : timer.unref()
      },
    }
  },
  nextTick: (call) => nextTick(call),
  nextTurn: (call) => void setImmediate(call),
  // Before the first, only some of the sockets may be read.
  nextPoll: (call) => void setImmediate(() => setImmediate(call)),
  random: Math.random,
  incarnationId() {
    const bits = ((word() << 32n) | word()) ^ hrtime.bigint()
    return BigInt.asUintN(64, bits).toString(36).padStart(13, '0')
  },
}

/**
 * 32 random bits. V8 seeds `Math.random` of each process and worker with 64 bits of system entropy, which is enough, as ids
 * aren't secret. With a fixed seed (`--random-seed`), only the time in an id makes it unique.
 */
function word(): bigint {
  return BigInt(Math.floor(Math.random() * 2 ** 32))
}
