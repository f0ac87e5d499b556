/**
 * Whether a peer shows signs of life. Only counts pings that went unanswered, so a stall of our own loop, in which no
 * ping is sent either, proves nothing; and silence is no death, only the reason to say `unresponsive`.
 */
export class Liveness {
  readonly #limit: number
  #silentPings = 0

  /** @param limit pings without any sign of life from which on a peer is unresponsive */
  constructor(limit: number) {
    this.#limit = limit
  }

  get isUnresponsive(): boolean {
    return this.#silentPings > this.#limit
  }

  /** Called every ping interval: is it time to ask, and has the peer just become unresponsive? */
  check(): { readonly isSilent: boolean; readonly becameUnresponsive: boolean } {
    this.#silentPings++
    return { isSilent: this.#silentPings > 1, becameUnresponsive: this.#silentPings === this.#limit + 1 }
  }

  /** Something came from the peer. Was it thought unresponsive? */
  heard(): boolean {
    const was = this.isUnresponsive
    this.#silentPings = 0
    return was
  }
}
