import type { Channel } from './channel/channel'
import type { Announcer } from './events/subscription'
import type { Identity } from './model/audience'
import { isWithinBoundary } from './model/boundary'
import { InvalidArgument } from './model/errors'
import { type Interest, InterestSet } from './model/interest'
import type { Waits } from './platform/waits'
import type { Routes } from './routing/routes'

export interface InterestAnnouncerContext {
  readonly self: Identity
  /** The channel to this endpoint's own subscriptions. */
  readonly loopback: Channel
  readonly routes: Routes<Channel>
  readonly waits: Waits
  /** Called at each change. */
  readonly changed: (change: 'subscribe' | 'unsubscribe', interest: Interest) => void
  /** Maximum number of interests. */
  readonly limit: number
  /** The peers to tell. */
  readonly peers: () => Announcer
}

/** The interests of this endpoint's subscriptions and responders: routed to them here, and announced to all peers. */
export class InterestAnnouncer implements Announcer {
  readonly #context: InterestAnnouncerContext
  readonly #interests: InterestSet

  constructor(context: InterestAnnouncerContext) {
    this.#context = context
    this.#interests = new InterestSet(context.limit)
  }

  /** @throws InvalidArgument for one too many */
  assertAllowed(interest: Interest): void {
    if (this.#interests.hasRoomFor(interest)) return
    const { limit } = this.#context
    const most = `at most ${limit} of an endpoint (limits.interests), or ${limit} KiB of memory`
    throw new InvalidArgument(`subscriptions and responders: expected ${most}, got one more; use patterns`)
  }

  /** All interests of this endpoint. */
  get interests(): Iterable<Interest> {
    return this.#interests
  }

  /** The interests that peers need to know: those that no boundary keeps away from here. */
  *forPeers(): Generator<Interest> {
    for (const interest of this.#interests) if (this.#isForPeers(interest)) yield interest
  }

  announce(change: 'subscribe' | 'unsubscribe', interest: Interest): void {
    const { loopback, routes, changed, peers } = this.#context
    const isChange = change === 'subscribe' ? this.#interests.add(interest) : this.#interests.remove(interest)
    if (!isChange) return
    if (change === 'subscribe') routes.add(loopback, interest)
    else routes.remove(loopback, interest)
    changed(change, interest)
    // Peers ignore the end of an interest that they don't know, and a boundary may have been set since they were told.
    if (change === 'unsubscribe' || this.#isForPeers(interest)) peers().announce(change, interest)
  }

  acknowledged(): Promise<readonly string[]> {
    return this.#context.waits.settle('ready', {}, this.#context.peers().acknowledged())
  }

  #isForPeers({ type }: Interest): boolean {
    return isWithinBoundary(type, this.#context.self)
  }
}
