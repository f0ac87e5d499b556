const SLOTS = 10
const SLOT = 1000

/** How many milliseconds something has lasted: in all, and within the last ten seconds, to a second. */
export class RecentTime {
  /** Milliseconds that count as recent. */
  static readonly SPAN = SLOTS * SLOT
  #total = 0
  /** By second, modulo the number of slots. */
  readonly #slots: number[] = Array.from({ length: SLOTS }, () => 0)
  #second = 0

  get total(): number {
    return this.#total
  }

  /** Adds an interval of this length that ends now. */
  add(milliseconds: number, now: number): void {
    this.#advance(now)
    this.#total += milliseconds
    this.#slots[this.#second % SLOTS] = (this.#slots[this.#second % SLOTS] ?? 0) + milliseconds
  }

  /** Milliseconds within the last ten seconds. */
  within(now: number): number {
    this.#advance(now)
    const sum = this.#slots.reduce((sum, milliseconds) => sum + milliseconds, 0)
    return Math.min(sum, RecentTime.SPAN)
  }

  #advance(now: number): void {
    const second = Math.floor(now / SLOT)
    const steps = Math.min(second - this.#second, SLOTS)
    for (let step = 1; step <= steps; step++) this.#slots[(this.#second + step) % SLOTS] = 0
    this.#second = second
  }
}
