import type { Channel } from '../channel/channel'
import type { Clock } from '../platform/clock'

/** Tells senders how many of their assignments have been handled, once for all of a turn. */
export class Settlements {
  readonly #clock: Clock
  readonly #counts = new Map<Channel, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(channel: Channel): void {
    if (this.#counts.size === 0) this.#clock.defer(() => this.flush())
    this.#counts.set(channel, (this.#counts.get(channel) ?? 0) + 1)
  }

  flush(): void {
    for (const [channel, count] of this.#counts) channel.sendControl({ kind: 'settle', count })
    this.#counts.clear()
  }
}
