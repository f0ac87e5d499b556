/** How received events differ from sent ones. */
export interface Faults {
  readonly lost: number
  readonly outOfOrder: number
  readonly duplicates: number
}

/** The sequence number of the end mark. */
export const END = 2 ** 32 - 1

/** Counts lost, duplicate and out-of-order events of one sender. An event in order costs one comparison. */
export class SequenceChecker {
  readonly #events: number
  /** A bit for each event that later ones have overtaken. Allocated with the first. */
  #overtaken: Uint8Array | undefined
  #missing = 0
  #next = 0
  #outOfOrder = 0
  #duplicates = 0
  readonly #onEnd: () => void

  constructor(events: number, onEnd: () => void) {
    this.#events = events
    this.#onEnd = onEnd
  }

  add(sequence: number): void {
    if (sequence === this.#next) this.#next++
    else if (sequence === END) this.#onEnd()
    else this.#misplaced(sequence)
  }

  /** Events received, without duplicates. */
  get arrived(): number {
    return this.#next - this.#missing
  }

  get faults(): Faults {
    return { lost: this.#events - this.arrived, outOfOrder: this.#outOfOrder, duplicates: this.#duplicates }
  }

  /** @throws RangeError for an event that was never sent */
  #misplaced(sequence: number): void {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.#events) {
      throw new RangeError(`expected an event under ${this.#events}, got ${sequence}`)
    }
    if (sequence > this.#next) {
      for (let skipped = this.#next; skipped < sequence; skipped++) this.#mark(skipped)
      this.#next = sequence + 1
    } else if (this.#unmark(sequence)) this.#outOfOrder++
    else this.#duplicates++
  }

  #mark(sequence: number): void {
    this.#overtaken ??= new Uint8Array(Math.ceil(this.#events / 8))
    this.#overtaken[sequence >> 3] = (this.#overtaken[sequence >> 3] ?? 0) | (1 << (sequence & 7))
    this.#missing++
  }

  /** Returns whether it was marked. */
  #unmark(sequence: number): boolean {
    const byte = this.#overtaken?.[sequence >> 3] ?? 0
    const bit = 1 << (sequence & 7)
    if (!this.#overtaken || !(byte & bit)) return false
    this.#overtaken[sequence >> 3] = byte & ~bit
    this.#missing--
    return true
  }
}
