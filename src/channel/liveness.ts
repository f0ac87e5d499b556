/**
 * Whether a peer shows signs of life. It counts unanswered pings rather than time: while our own loop stalls, no ping is
 * sent, so the stall does not count against the peer. A ping is unanswered once a whole interval has passed without data.
 * A silent peer is `unresponsive`, never dead.
 */
export class Liveness {
  readonly #limit: number
  /** Checks since data has arrived. The second one sends the first ping, which the third one finds unanswered. */
  #silentChecks = 0
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
    return this.#silentChecks >= this.#limit + 2
  }

  /** Called every ping interval. Returns whether to send a ping, and whether the peer has just become unresponsive. */
  check(): { readonly isSilent: boolean; readonly becameUnresponsive: boolean } {
    this.#silentChecks++
    return { isSilent: this.#silentChecks > 1, becameUnresponsive: this.#silentChecks === this.#limit + 2 }
  }

  /** Data has arrived from the peer. Returns whether it was unresponsive until now. */
  onActivity(): boolean {
    const was = this.isUnresponsive
    this.#silentChecks = 0
    this.#activities++
    return was
  }
}
