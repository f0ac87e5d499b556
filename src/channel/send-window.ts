/** A gap message: where events were dropped. */
export interface Gap {
  /** Events sent before it. */
  readonly after: number
  /** Events dropped. */
  readonly count: number
}

/** What one write sends. */
export interface Sent {
  readonly bytes: number
  readonly events: number
  readonly gaps: readonly Gap[]
}

/** The sender's end of credit-based flow control: how far ahead of its credit a peer lets us send. */
export class SendWindow {
  #window = Number.POSITIVE_INFINITY
  #bytes = 0
  #events = 0
  /** Events sent so far. */
  #sent = 0
  /** Gaps that the peer may not have read, counted from the first event. */
  readonly #gaps: Gap[] = []

  /** Bytes that the peer accepts ahead of its credit. */
  set window(bytes: number) {
    this.#window = bytes
  }

  get window(): number {
    return this.#window
  }

  get isOpen(): boolean {
    return this.#bytes < this.#window
  }

  /** Bytes that may be sent. The last event may exceed them. */
  get remaining(): number {
    return this.#window - this.#bytes
  }

  /** Events sent and not acknowledged by credit. */
  get events(): number {
    return this.#events
  }

  /** Events that the peer may not know of: not acknowledged, or dropped and in a gap that it may not have read. */
  get unconfirmed(): number {
    return this.#events + countOf(this.#gaps)
  }

  spend({ bytes, events, gaps }: Sent): void {
    for (const { after, count } of gaps) this.#gaps.push({ after: this.#sent + after, count })
    this.#bytes += bytes
    this.#events += events
    this.#sent += events
  }

  /** Undoes the last `spend`: it was not sent. Returns how many dropped events its gaps counted. */
  refund({ bytes, events, gaps }: Sent): number {
    const unsent = this.#gaps.splice(Math.max(this.#gaps.length - gaps.length, 0))
    this.#sent -= events
    this.credit(bytes, events)
    return countOf(unsent)
  }

  /** The peer has read all gaps. */
  confirmGaps(): void {
    this.#gaps.length = 0
  }

  /** The peer has handled so many bytes and events. Credit for more than was sent counts for nothing. */
  credit(bytes: number, events: number): void {
    this.#bytes = Math.max(this.#bytes - bytes, 0)
    this.#events = Math.max(this.#events - events, 0)
    // A peer that has handled an event has read every gap before it.
    while (this.#gaps[0] && this.#sent - this.#events > this.#gaps[0].after) this.#gaps.shift()
  }
}

function countOf(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { count }) => sum + count, 0)
}
