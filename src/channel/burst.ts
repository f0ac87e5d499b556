import type { Frame } from '../wire/frame'
import type { Slabs } from '../wire/slabs'

/** Where a burst goes. */
export interface BurstTarget {
  /** Takes so many events that lie one behind the other. */
  absorb(run: Frame, events: number): void
}

/**
 * Events that lie one behind the other and go to the same outboxes. They are handed over together, when one of the
 * outboxes is looked at or its turn to send has come: so an event costs its sender the same however many get it.
 */
export class Burst {
  readonly #targets: readonly { readonly outbox: BurstTarget }[]
  readonly #slabs: Slabs
  readonly #bytes: Buffer
  readonly #start: number
  #end: number
  #events = 1
  #state: 'open' | 'over' = 'open'

  /** @param targets those who get it; the array must not change */
  constructor(targets: readonly { readonly outbox: BurstTarget }[], { bytes, start, end }: Frame, slabs: Slabs) {
    this.#targets = targets
    this.#slabs = slabs
    slabs.pin(bytes)
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /** Takes another event, if it is for the same and lies right behind the last one. Returns whether it did. */
  extend(targets: readonly { readonly outbox: BurstTarget }[], { bytes, start, end }: Frame): boolean {
    if (this.#state === 'over' || targets !== this.#targets) return false
    if (bytes !== this.#bytes || start !== this.#end) return false
    this.#end = end
    this.#events++
    return true
  }

  /** Hands over what it has, and takes nothing more. */
  commit(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    const run = { bytes: this.#bytes, start: this.#start, end: this.#end }
    for (const { outbox } of this.#targets) outbox.absorb(run, this.#events)
    this.#slabs.unpin(this.#bytes)
  }
}
