import { Slabs } from '../wire/slabs'

/** What can be made to give up some of what it holds. */
export interface BudgetHolder {
  readonly bytes: number
  /** Gives up its oldest piece. Returns whether it had any. */
  dropOldest(): boolean
}

/**
 * The memory that what waits in all outboxes of an endpoint holds together. Buffers that several of them share count
 * once; at the cap the outbox that has most waiting gives up its oldest. What is being written can't be given up: it
 * doesn't count, or a few peers that read nothing would take the room of all others.
 */
export class MemoryBudget {
  /** What the events are written into. */
  readonly slabs: Slabs
  readonly #cap: number
  readonly #holders = new Set<BudgetHolder>()
  readonly #references = new Map<Buffer, number>()
  #total = 0

  /** @param cap bytes */
  constructor(cap: number, slabs = new Slabs()) {
    this.#cap = cap
    this.slabs = slabs
  }

  /** Bytes of buffers that are held. */
  get total(): number {
    return this.#total
  }

  join(holder: BudgetHolder): void {
    this.#holders.add(holder)
  }

  leave(holder: BudgetHolder): void {
    this.#holders.delete(holder)
  }

  retain(buffer: Buffer): void {
    const count = this.#references.get(buffer)
    this.#references.set(buffer, (count ?? 0) + 1)
    if (count === undefined) this.#total += buffer.length
    this.slabs.pin(buffer)
  }

  release(buffer: Buffer): void {
    const count = this.#references.get(buffer)
    if (count === undefined) return
    this.slabs.unpin(buffer)
    if (count > 1) {
      this.#references.set(buffer, count - 1)
      return
    }
    this.#references.delete(buffer)
    this.#total -= buffer.length
  }

  /** Is there more than may be? */
  get isOver(): boolean {
    return this.#total > this.#cap
  }

  /** Brings the total under the cap, as far as there is anything left to give up. */
  makeRoom(): void {
    while (this.#total > this.#cap) {
      let largest: BudgetHolder | undefined
      for (const holder of this.#holders) if (holder.bytes > (largest?.bytes ?? 0)) largest = holder
      if (!largest?.dropOldest()) return
    }
  }
}
