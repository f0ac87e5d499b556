/**
 * Whether a peer shows signs of life. It counts unanswered pings rather than time: while our own loop stalls, no ping is
 * sent, so the stall does not count against the peer. A silent peer is `unresponsive`, never dead.
 */
export class Liveness {
  readonly #limit: number
  #silentPings = 0
  #activities = 0

  /** @param limit unanswered pings after which a peer is unresponsive */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** How often data has arrived. */
  get activities(): number {
    return this.#activities
  }

  get isUnresponsive(): boolean {
    return this.#silentPings > this.#limit
  }

  /** Called every ping interval. Returns whether to send a ping, and whether the peer has just become unresponsive. */
  check(): { readonly isSilent: boolean; readonly becameUnresponsive: boolean } {
    this.#silentPings++
    return { isSilent: this.#silentPings > 1, becameUnresponsive: this.#silentPings === this.#limit + 1 }
  }

  /** Data has arrived from the peer. Returns whether it was unresponsive until now. */
  onActivity(): boolean {
    const was = this.isUnresponsive
    this.#silentPings = 0
    this.#activities++
    return was
  }
}
