/** A pending call that can be taken back. */
export interface Timer {
  cancel(): void
}

/** Time and chance: the only way by which they enter the core. */
export interface Clock {
  /** Milliseconds on a scale that never jumps (it does not follow changes of the system's date). */
  now(): number
  /** Calls once after `delay` milliseconds. */
  after(delay: number, call: () => void): Timer
  /** Calls when what runs now, and all promises that it has settled, have had their say. */
  nextTick(call: () => void): void
  /** Calls when the current turn of the event loop is over. */
  nextTurn(call: () => void): void
  /** A number in [0, 1). */
  random(): number
  /** The name of one life of an endpoint: 64 random bits as 13 characters of [0-9a-z], unlike any other. */
  incarnationId(): string
}

export const systemClock: Clock = {
  // Not `performance` and, below, not `crypto`: to load the two was a third of what it took to join an empty bus.
  now() {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1000 + nanoseconds / 1e6
  },
  after(delay, call) {
    const timer = setTimeout(call, delay)
    return { cancel: () => clearTimeout(timer) }
  },
  nextTick: (call) => process.nextTick(call),
  nextTurn: (call) => void setImmediate(call),
  random: Math.random,
  incarnationId() {
    const bits = ((word() << 32n) | word()) ^ process.hrtime.bigint()
    return BigInt.asUintN(64, bits).toString(36).padStart(13, '0')
  },
}

/**
 * 32 random bits. V8 begins each process and worker with 64 bits of the system's entropy, which will do where nothing is
 * secret. Where it is told what to begin with (`--random-seed`), only the time tells ids apart.
 */
function word(): bigint {
  return BigInt(Math.floor(Math.random() * 2 ** 32))
}
