import type { Channel } from './channel'
import type { Frame } from './frame'
import type { Handling } from './overflow'
import { Rotations } from './rotation'
import type { Member } from './routes'

/** The sharing out of events: which member of a queue gets the next one, and who has how many in hand. */
export class Queues {
  /** Events given and not settled; those that were dropped on the way are among them. */
  readonly #given = new Map<Channel, number>()
  readonly #rotations = new Rotations()

  /** The member with the least in hand for each that it has; one that lags only if all do. */
  choose(queue: string, members: readonly Member[]): Channel | undefined {
    return this.#rotations.of(queue).pick(members, ({ channel, weight }) => {
      return channel.outbox.isLagging ? Number.MAX_VALUE : this.inHand(channel) / weight
    })?.channel
  }

  give(channel: Channel, frame: Frame, handling: Handling): void {
    this.#given.set(channel, (this.#given.get(channel) ?? 0) + 1)
    channel.send(frame, handling)
  }

  inHand(channel: Channel): number {
    return Math.max((this.#given.get(channel) ?? 0) - channel.outbox.droppedAssignments, 0)
  }

  /** So many are not in that channel's hands any more: handled, given back, or taken back. */
  settled(channel: Channel, count: number): void {
    this.#given.set(channel, Math.max((this.#given.get(channel) ?? 0) - count, 0))
  }

  /** The channel is closed. Returns how many it still had in hand. */
  ended(channel: Channel): number {
    const inHand = this.inHand(channel)
    this.#given.delete(channel)
    return inHand
  }
}
