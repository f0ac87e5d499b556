import type { Random } from './random'

/** Probabilities of faults of sockets and directories, and delays in milliseconds. */
export interface Conditions {
  /** A hint of the directory's watch never comes. */
  readonly hintLoss: number
  /** A dial fails with a temporary error. */
  readonly busy: number
  /** A connection is closed at once, since the acceptor has no free descriptor. */
  readonly acceptFailure: number
  /** A read gets only part of the available bytes. */
  readonly splitting: number
  /** A call takes up to `slowness` instead of up to `latency`. */
  readonly slow: number
  readonly latency: number
  readonly slowness: number
}

export const FAIR: Conditions = {
  hintLoss: 0,
  busy: 0,
  acceptFailure: 0,
  splitting: 0.3,
  slow: 0,
  latency: 1,
  slowness: 1,
}

/** Random faults of the network. */
export class NetworkFaults {
  readonly #random: Random
  conditions: Conditions = FAIR

  constructor(random: Random) {
    this.#random = random
  }

  losesHint(): boolean {
    return this.#random.chance(this.conditions.hintLoss)
  }

  isBusy(): boolean {
    return this.#random.chance(this.conditions.busy)
  }

  failsAccept(): boolean {
    return this.#random.chance(this.conditions.acceptFailure)
  }

  /** The duration of one call, in milliseconds. */
  delay(): number {
    const { slow, latency, slowness } = this.conditions
    return this.#random.float() * (slow > 0 && this.#random.chance(slow) ? slowness : latency)
  }

  /** How many of the available bytes one read gets. */
  readable(bytes: number): number {
    return this.#random.chance(this.conditions.splitting) ? this.#random.between(1, bytes) : bytes
  }

  /** The size of the kernel's buffer for a reader. */
  capacity(): number {
    return this.#random.pick([1024, 8 * 1024, 64 * 1024, 200 * 1024])
  }

  coin(): boolean {
    return this.#random.chance(0.5)
  }
}
