import type { Random } from './random'

/** How likely what can go wrong with sockets and directories is, at any one time. Probabilities, and milliseconds. */
export interface Conditions {
  /** A hint of the directory's watch never comes. */
  readonly hintLoss: number
  /** A dial is told to try again. */
  readonly busy: number
  /** A connection is closed by the acceptor's kernel at once, for want of descriptors. */
  readonly acceptFailure: number
  /** A read gets less than there is. */
  readonly splitting: number
  /** Something takes up to `slowness` instead of up to `latency`. */
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

/** What chance does to each single thing that happens on the network. */
export class Weather {
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

  /** Milliseconds that one thing takes. */
  delay(): number {
    const { slow, latency, slowness } = this.conditions
    return this.#random.float() * (slow > 0 && this.#random.chance(slow) ? slowness : latency)
  }

  /** Bytes of those there are that one read gets. */
  readable(bytes: number): number {
    return this.#random.chance(this.conditions.splitting) ? this.#random.between(1, bytes) : bytes
  }

  /** Bytes that arrive yet of those under way when a connection is cut. */
  surviving(bytes: number): number {
    return this.#random.between(0, bytes)
  }

  /** Bytes that the kernel keeps for a reader. */
  capacity(): number {
    return this.#random.pick([1024, 8 * 1024, 64 * 1024, 200 * 1024])
  }

  coin(): boolean {
    return this.#random.chance(0.5)
  }
}
