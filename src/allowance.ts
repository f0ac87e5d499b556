/** The sending end of a window: how far ahead of its credit a peer lets us be, and how far we are. */
export class Allowance {
  #window = Number.POSITIVE_INFINITY
  #bytes = 0
  #events = 0

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

  spend(bytes: number, events: number): void {
    this.#bytes += bytes
    this.#events += events
  }

  /** The peer is done with so much; what it says beyond that counts for nothing. */
  credit(bytes: number, events: number): void {
    this.#bytes = Math.max(this.#bytes - bytes, 0)
    this.#events = Math.max(this.#events - events, 0)
  }
}
