/** The sequence number of the end mark. */
export const END = 2 ** 32 - 1

/** Counts lost, duplicate and out-of-order events of one sender. An event in order costs one comparison. */
export class SequenceChecker {
  readonly #events: number
  readonly #onEnd: () => void
  /** Sequence numbers below `#next` that have not arrived. */
  readonly #missing = new Set<number>()
  #next = 0
  #outOfOrder = 0
  #duplicates = 0

  /** @param onEnd called at the end mark */
  constructor(events: number, onEnd: () => void) {
    this.#events = events
    this.#onEnd = onEnd
  }

  /** @throws RangeError for an event that was never sent */
  add(sequence: number): void {
    if (sequence === this.#next) this.#next++
    else if (sequence === END) this.#onEnd()
    else this.#addMisplaced(sequence)
  }

  /** Events received, without duplicates. */
  get arrived(): number {
    return this.#next - this.#missing.size
  }

  get faults(): { readonly lost: number; readonly outOfOrder: number; readonly duplicates: number } {
    return { lost: this.#events - this.arrived, outOfOrder: this.#outOfOrder, duplicates: this.#duplicates }
  }

  #addMisplaced(sequence: number): void {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.#events) {
      throw new RangeError(`expected an event under ${this.#events}, got ${sequence}`)
    }
    if (this.#missing.delete(sequence)) this.#outOfOrder++
    else if (sequence < this.#next) this.#duplicates++
    else {
      while (this.#next < sequence) this.#missing.add(this.#next++)
      this.#next++
    }
  }
}
