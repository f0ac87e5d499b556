/** So many events were dropped behind so many that were sent. */
export interface Gap {
  readonly behind: number
  readonly count: number
}

/** What leaves at a time. */
export interface Spending {
  readonly bytes: number
  readonly events: number
  /** Where others have been dropped. */
  readonly gaps: readonly Gap[]
}

/** The sending end of a window: how far ahead of its credit a peer lets us be, and how far we are. */
export class SendWindow {
  #window = Number.POSITIVE_INFINITY
  #bytes = 0
  #events = 0
  #sent = 0
  /** Those told of that the peer may not have read. */
  readonly #gaps: Gap[] = []

  /** The peer has said how many bytes it takes. */
  set window(bytes: number) {
    this.#window = bytes
  }

  get isOpen(): boolean {
    return this.#bytes < this.#window
  }

  /** Bytes that may be sent. The last event may go over them. */
  get room(): number {
    return this.#window - this.#bytes
  }

  /** Events sent that the peer has given no credit for. */
  get events(): number {
    return this.#events
  }

  /** Events that the peer may know nothing of: sent and without credit, or dropped and in a gap that it may not have read. */
  get unconfirmed(): number {
    return this.#gaps.reduce((sum, { count }) => sum + count, this.#events)
  }

  spend({ bytes, events, gaps }: Spending): void {
    for (const { behind, count } of gaps) this.#gaps.push({ behind: this.#sent + behind, count })
    this.#bytes += bytes
    this.#events += events
    this.#sent += events
  }

  /** What was spent last has not been sent. Returns how many events its gaps had. */
  refund({ bytes, events, gaps }: Spending): number {
    const untold = this.#gaps.splice(Math.max(this.#gaps.length - gaps.length, 0))
    this.#sent -= events
    this.credit(bytes, events)
    return untold.reduce((sum, { count }) => sum + count, 0)
  }

  /** The peer is done with so much; what it says beyond that counts for nothing. */
  credit(bytes: number, events: number): void {
    this.#bytes = Math.max(this.#bytes - bytes, 0)
    this.#events = Math.max(this.#events - events, 0)
    // Who is done with an event has read every gap before it.
    while (this.#gaps[0] && this.#sent - this.#events > this.#gaps[0].behind) this.#gaps.shift()
  }
}
