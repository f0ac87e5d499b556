import type { Channel } from '../channel/channel'
import type { OverflowPolicy } from '../model/overflow'
import { Balancers } from '../routing/balancer'
import type { Member } from '../routing/routes'
import type { Frame } from '../wire/frame'

/** What is shared out: events of one type, among the members of one queue. */
export interface Share {
  readonly type: string
  readonly queue: string
}

interface Hand {
  /** Events given and not settled; those that were dropped on the way are among them. */
  given: number
  /** The types given since it was last empty, by queue. */
  readonly types: Map<string, Set<string>>
}

/** Types that are remembered of one queue; of a program that makes up types without end any may come back. */
const REMEMBERED = 10_000

/** The sharing out of events: which member of a queue gets the next one, and who has how many in hand. */
export class Queues {
  readonly #hands = new Map<Channel, Hand>()
  readonly #balancers = new Balancers()

  /** The member with the least in hand for each that it has; one that lags only if all do. */
  choose(queue: string, members: readonly Member<Channel>[]): Channel | undefined {
    return this.#balancers.of(queue).pick(members, ({ destination, weight }) => {
      return destination.outbox.isLagging ? Number.MAX_VALUE : this.inHand(destination) / weight
    })?.destination
  }

  give(channel: Channel, { type, queue }: Share, frame: Frame, handling: OverflowPolicy): void {
    const hand = this.#handOf(channel)
    if (this.inHand(channel) === 0) hand.types.clear()
    hand.given++
    const types = hand.types.get(queue)
    if (!types) hand.types.set(queue, new Set([type]))
    else if (types.size < REMEMBERED) types.add(type)
    channel.send(frame, handling)
  }

  inHand(channel: Channel): number {
    return Math.max((this.#hands.get(channel)?.given ?? 0) - channel.outbox.droppedAssignments, 0)
  }

  /** Can that be among what the channel has in hand? */
  hasGiven(channel: Channel, { type, queue }: Share): boolean {
    const types = this.#hands.get(channel)?.types.get(queue)
    if (!types || this.inHand(channel) === 0) return false
    return types.has(type) || types.size === REMEMBERED
  }

  /** So many are not in that channel's hands any more: handled, given back, or taken back. */
  settled(channel: Channel, count: number): void {
    const hand = this.#handOf(channel)
    hand.given = Math.max(hand.given - count, 0)
  }

  /** The channel is closed. Returns how many it still had in hand. */
  ended(channel: Channel): number {
    const inHand = this.inHand(channel)
    this.#hands.delete(channel)
    return inHand
  }

  #handOf(channel: Channel): Hand {
    const known = this.#hands.get(channel)
    if (known) return known
    const hand: Hand = { given: 0, types: new Map() }
    this.#hands.set(channel, hand)
    return hand
  }
}
