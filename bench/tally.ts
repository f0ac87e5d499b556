import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { latencyRange } from './latency'
import { Sample, sentAtOf, sequenceOf } from './sample'

/** What one consumer has seen of one round. */
export interface TallyReport {
  readonly received: number
  readonly lost: number
  readonly outOfOrder: number
  readonly duplicates: number
  /** When the first event that arrived was sent, and when the last arrived: milliseconds of the shared clock. */
  readonly firstSentAt: number
  readonly lastReceivedAt: number
  /** A histogram of microseconds, encoded. */
  readonly latencies: string
}

/** Counts samples as they arrive, and notices each that is lost, doubled or out of order. */
export class Tally {
  readonly #events: number
  readonly #payloadBytes: number
  /** One bit per event. */
  readonly #seen: Uint8Array
  readonly #latencies = build(latencyRange)
  #next = 0
  #received = 0
  #outOfOrder = 0
  #duplicates = 0
  #firstSentAt = 0n
  #lastReceivedAt = 0n

  constructor(events: number, payloadBytes: number) {
    this.#events = events
    this.#payloadBytes = payloadBytes
    this.#seen = new Uint8Array(Math.ceil(events / 8))
  }

  /** @throws Error if it is no sample of this round */
  add(payload: Buffer): void {
    const now = process.hrtime.bigint()
    const sequence = sequenceOf(payload)
    if (payload.length !== this.#payloadBytes || sequence >= this.#events) {
      throw new Error(`${Sample.name}: expected ${this.#payloadBytes} bytes of an event under ${this.#events}`)
    }
    const sentAt = sentAtOf(payload)
    if (this.#received++ === 0) this.#firstSentAt = sentAt
    this.#lastReceivedAt = now
    this.#latencies.recordValue(Number((now - sentAt) / 1000n))
    this.#place(sequence)
  }

  report(): TallyReport {
    return {
      received: this.#received,
      lost: this.#events - (this.#received - this.#duplicates),
      outOfOrder: this.#outOfOrder,
      duplicates: this.#duplicates,
      firstSentAt: Number(this.#firstSentAt) / 1e6,
      lastReceivedAt: Number(this.#lastReceivedAt) / 1e6,
      latencies: encodeIntoCompressedBase64(this.#latencies),
    }
  }

  #place(sequence: number): void {
    const index = sequence >> 3
    const bit = 1 << (sequence & 7)
    const seen = this.#seen[index] ?? 0
    if (seen & bit) {
      this.#duplicates++
      return
    }
    this.#seen[index] = seen | bit
    if (sequence < this.#next) this.#outOfOrder++
    else this.#next = sequence + 1
  }
}
