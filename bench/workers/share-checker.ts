import { END } from './sequence-checker'

/** Notes which events of a sender one member of a queue has received. */
export class ShareChecker {
  readonly #warmUp: number
  readonly #onEnd: () => void
  readonly #share: Share
  #arrived = 0
  #duplicates = 0

  /**
   * @param events with those of the warm-up
   * @param onEnd called at the end mark
   */
  constructor(events: number, warmUp: number, onEnd: () => void) {
    this.#warmUp = warmUp
    this.#onEnd = onEnd
    this.#share = new Share(events)
  }

  /** @throws RangeError for an event that was never sent */
  add(sequence: number): void {
    if (sequence === END) return this.#onEnd()
    if (!this.#share.add(sequence)) this.#duplicates++
    else if (sequence >= this.#warmUp) this.#arrived++
  }

  /** Measured events received, without duplicates. */
  get arrived(): number {
    return this.#arrived
  }

  /** What is lost shows only when the shares of all members are known. */
  get faults(): { readonly lost: number; readonly outOfOrder: number; readonly duplicates: number } {
    return { lost: 0, outOfOrder: 0, duplicates: this.#duplicates }
  }

  /** See `Share.parse`. */
  get share(): string {
    return this.#share.toString()
  }
}

/** A set of sequence numbers, one bit each. */
export class Share {
  readonly #events: number
  readonly #bits: Buffer

  constructor(events: number, bits = Buffer.alloc(Math.ceil(events / 8))) {
    this.#events = events
    this.#bits = bits
  }

  static parse(events: number, text: string): Share {
    return new Share(events, Buffer.from(text, 'base64'))
  }

  /** Returns whether it is new. @throws RangeError for an event that was never sent */
  add(sequence: number): boolean {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.#events) {
      throw new RangeError(`expected an event under ${this.#events}, got ${sequence}`)
    }
    const bit = 1 << (sequence & 7)
    const byte = this.#bits[sequence >>> 3] ?? 0
    this.#bits[sequence >>> 3] = byte | bit
    return (byte & bit) === 0
  }

  has(sequence: number): boolean {
    return ((this.#bits[sequence >>> 3] ?? 0) & (1 << (sequence & 7))) !== 0
  }

  toString(): string {
    return this.#bits.toString('base64')
  }
}

/** The events that no member has received, and how many more times than once others were received. */
export function faultsOf(
  shares: readonly Share[],
  events: number,
): { readonly lost: number; readonly duplicates: number } {
  let lost = 0
  let duplicates = 0
  for (let sequence = 0; sequence < events; sequence++) {
    let holders = 0
    for (const share of shares) if (share.has(sequence)) holders++
    if (holders === 0) lost++
    else duplicates += holders - 1
  }
  return { lost, duplicates }
}
