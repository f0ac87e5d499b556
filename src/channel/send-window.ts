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
  /** Gaps that the peer may not have read, counted from the first event: one between two events at most. */
  #gaps: { readonly after: number; count: number }[] = []
  /** Number of gaps at the front that it has read. They are removed together, in constant time for each. */
  #readGaps = 0

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
    return this.#events + this.#gaps.slice(this.#readGaps).reduce((sum, { count }) => sum + count, 0)
  }

  spend({ bytes, events, gaps }: Sent): void {
    for (const { after, count } of gaps) this.#addGap(this.#sent + after, count)
    this.#bytes += bytes
    this.#events += events
    this.#sent += events
  }

  /** Undoes the last `spend`: it was not sent. Returns how many dropped events its gaps counted. */
  refund({ bytes, events, gaps }: Sent): number {
    this.#sent -= events
    let unsent = 0
    for (const { after, count } of gaps.toReversed()) {
      const last = this.#lastGap
      if (last?.after !== this.#sent + after) continue
      unsent += count
      last.count -= count
      if (last.count === 0) this.#gaps.pop()
    }
    this.credit(bytes, events)
    return unsent
  }

  /** The peer has read all gaps. */
  confirmGaps(): void {
    this.#gaps = []
    this.#readGaps = 0
  }

  /** The peer has handled so many bytes and events. Credit for more than was sent counts for nothing. */
  credit(bytes: number, events: number): void {
    this.#bytes = Math.max(this.#bytes - bytes, 0)
    this.#events = Math.max(this.#events - events, 0)
    // A peer that has handled an event has read every gap before it.
    const acknowledged = this.#sent - this.#events
    let next = this.#gaps[this.#readGaps]
    while (next && acknowledged > next.after) next = this.#gaps[++this.#readGaps]
    if (this.#readGaps * 2 <= this.#gaps.length) return
    this.#gaps.splice(0, this.#readGaps)
    this.#readGaps = 0
  }

  #addGap(after: number, count: number): void {
    const last = this.#lastGap
    if (last?.after === after) last.count += count
    else this.#gaps.push({ after, count })
  }

  /** The last gap that it may not have read. */
  get #lastGap() {
    return this.#gaps.length > this.#readGaps ? this.#gaps.at(-1) : undefined
  }
}
