import { Slabs } from '../wire/slabs'

/** A queue that holds buffers of the budget. */
export interface BudgetHolder {
  /** Bytes that it could drop. */
  readonly bytes: number
  /** Whether its peer lags or has read nothing for a while. */
  readonly isStalled: boolean
  /** Drops its oldest event. Returns whether it had one. */
  dropOldest(): boolean
}

interface References {
  count: number
}

/**
 * Limits the memory of the messages queued in all outboxes of an endpoint together. A buffer that several outboxes share
 * counts once. Beyond the limit, the outbox with the most bytes drops its oldest events, and first those whose peers don't
 * read. Events that are being written cannot be dropped, so they do not count: else a few peers that read nothing would take
 * the room of all others.
 */
export class MemoryBudget {
  /** The buffers that events are encoded into. */
  readonly slabs: Slabs
  readonly #limit: number
  readonly #holders = new Set<BudgetHolder>()
  readonly #references = new Map<Buffer, References>()
  #total = 0

  /** @param limit bytes */
  constructor(limit: number, slabs = new Slabs()) {
    this.#limit = limit
    this.slabs = slabs
  }

  /** Bytes of all held buffers. */
  get total(): number {
    return this.#total
  }

  /** From now on the holder may have to drop events. */
  join(holder: BudgetHolder): void {
    this.#holders.add(holder)
  }

  leave(holder: BudgetHolder): void {
    this.#holders.delete(holder)
  }

  /** Counts a buffer, once however often it is retained. Each `retain` needs a `release`. */
  retain(buffer: Buffer): void {
    const references = this.#references.get(buffer)
    if (references) references.count++
    else {
      this.#references.set(buffer, { count: 1 })
      this.#total += buffer.length
    }
    this.slabs.pin(buffer)
  }

  release(buffer: Buffer): void {
    const references = this.#references.get(buffer)
    if (!references) return
    this.slabs.unpin(buffer)
    if (--references.count > 0) return
    this.#references.delete(buffer)
    this.#total -= buffer.length
  }

  /** Counts bytes that can't be dropped; negative when they are no longer held. */
  charge(bytes: number): void {
    this.#total += bytes
  }

  /** Whether more is held than the limit allows. */
  get isOver(): boolean {
    return this.#total > this.#limit
  }

  /** Makes holders drop events until the total is within the limit, or there is nothing left to drop. */
  makeRoom(): void {
    const stalled = [...this.#holders].filter(({ isStalled }) => isStalled)
    while (this.#total > this.#limit) {
      const holder = largestOf(stalled) ?? largestOf(this.#holders)
      if (!holder?.dropOldest()) return
    }
  }
}

/** The holder that could drop the most bytes, if any could. */
function largestOf(holders: Iterable<BudgetHolder>): BudgetHolder | undefined {
  let largest: BudgetHolder | undefined
  for (const holder of holders) if (holder.bytes > (largest?.bytes ?? 0)) largest = holder
  return largest
}
