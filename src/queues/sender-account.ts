import type { Channel } from '../channel/channel'
import { Runs } from '../wire/runs'

/** Runs of numbers in one message, so that it fits into the smallest frame that a peer may take. */
const RUNS = 64

/** What a member owes one of its senders: news of the events that it has been given. */
export class SenderAccount {
  readonly channel: Channel
  /** The number of the last event that has begun. */
  begun = 0
  /** Events received and neither handled nor returned. */
  inHand = 0
  readonly handled = new Runs()
  readonly returned = new Runs()
  readonly failed = new Runs()
  /** Begun events of which the sender is not told yet. */
  isBehind = false
  /** Whether it has not been told yet of events that begin: until then, no others of it do. */
  isBlocked = false
  /** The number up to which its sender has asked for events back. */
  recalled = 0
  /** Whether its sender gives what has not begun to others, as the link broke. */
  isLost = false
  /** The capacity that its sender has been told last. */
  #capacity: number
  /** The largest that it has been told: it may not have read the last one yet. */
  #mostCapacity: number

  constructor(channel: Channel, capacity: number) {
    this.channel = channel
    this.#capacity = capacity
    this.#mostCapacity = capacity
  }

  get mostCapacity(): number {
    return this.#mostCapacity
  }

  /**
   * Tells the sender what there is to tell, if it can still be told.
   *
   * @param member the number of the member
   * @param capacity the events that it takes of the sender
   * @param isCapacityNews whether another capacity than the last one is a reason to tell
   */
  tell(member: number, capacity: number, isCapacityNews: boolean): void {
    const { channel, begun, handled, returned, failed } = this
    const hasNewCapacity = isCapacityNews && capacity !== this.#capacity
    const hasNews = this.isBehind || hasNewCapacity || this.#hasSettled
    if (channel.outbox.isClosed || !hasNews) return
    this.isBehind = false
    this.#capacity = capacity
    this.#mostCapacity = Math.max(this.#mostCapacity, capacity)
    do {
      channel.sendMessage({
        kind: 'progress',
        member,
        capacity,
        begun,
        handled: handled.take(RUNS),
        returned: returned.take(RUNS),
        ...(!failed.isEmpty && { failed: failed.take(RUNS) }),
      })
    } while (this.#hasSettled)
  }

  get #hasSettled(): boolean {
    return !this.handled.isEmpty || !this.returned.isEmpty || !this.failed.isEmpty
  }
}
