import type { Channel } from '../channel/channel'
import { MAX_IN_HAND } from '../model/limits'
import type { Progress } from '../wire/message'
import { keysIn, type RunLengths } from '../wire/runs'
import type { QueueEvent } from './queue-event'

/** What was in a member's hand. */
export interface Hand {
  /** Events that it had begun. It may have handled some of them. */
  readonly begun: readonly QueueEvent[]
  readonly notBegun: readonly QueueEvent[]
}

/** A pull member of a queue, as its sender sees it: what it has been given and not settled. */
export class QueueMember {
  readonly queue: string
  readonly channel: Channel
  readonly number: number
  readonly #mostBytes: number
  readonly #inHand = new Map<number, QueueEvent>()
  #capacity: number
  #given = 0
  #begun = 0
  /** The number up to which events are asked back. */
  #recalled = 0
  #bytes = 0
  #isGone = false
  #isClosing = false
  #done = 0

  /** @param mostBytes that it is sent ahead of what it has settled */
  constructor(queue: string, channel: Channel, number: number, capacity: number, mostBytes: number) {
    this.queue = queue
    this.channel = channel
    this.number = number
    this.#capacity = Math.min(capacity, MAX_IN_HAND)
    this.#mostBytes = mostBytes
  }

  /** Number of events in its hand. */
  get load(): number {
    return this.#inHand.size
  }

  /** Whether it has an event in hand that is given again, or becomes a dead letter, if it fails or the member dies. */
  get mayRepeat(): boolean {
    for (const { redelivery } of this.#inHand.values()) if (redelivery) return true
    return false
  }

  get hasRoom(): boolean {
    return this.#inHand.size < this.#capacity && this.#bytes < this.#mostBytes && !this.channel.outbox.isClosed
  }

  /** Whether its endpoint is about to leave the bus: until then it handles what no other member may have. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Whether it has left, or its channel is closed. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Whether its endpoint doesn't answer, or is behind: then it is given what no other member may have. */
  get isStuck(): boolean {
    return this.channel.isUnresponsive || this.channel.outbox.isLagging
  }

  /** The number of the last event that it may not have begun, unless that is recalled already. */
  get recallable(): number | undefined {
    const through = this.#given
    return through > Math.max(this.#begun, this.#recalled) && this.#inHand.size > 0 ? through : undefined
  }

  /** @param isLastResort whether no other member may have the event */
  give(event: QueueEvent, isLastResort = false): void {
    const number = ++this.#given
    this.#inHand.set(number, event)
    this.#bytes += event.cost
    this.channel.sendBulk(event.deliveryFrame(this.number, number, isLastResort))
  }

  /** The events up to this number are asked back. */
  onRecalled(through: number): void {
    this.#recalled = through
  }

  /** Takes the events back, up to this number, that it has not begun. It must not begin them any more. */
  takeBack(through: number): QueueEvent[] {
    return this.#take([...this.#inHand.keys()].filter((number) => number > this.#begun && number <= through))
  }

  /** How many events it has handled, or failed to, since the last `countFromNow`. */
  get done(): number {
    return this.#done
  }

  countFromNow(): void {
    this.#done = 0
  }

  /** Its endpoint is about to leave the bus. */
  onClosing(): void {
    this.#isClosing = true
  }

  /** It takes nothing more. */
  leave(): void {
    this.#isGone = true
    this.#capacity = 0
  }

  /** Returns the events that it has settled now. Numbers of others are ignored. */
  onProgress(
    { capacity, begun, handled, returned, failed = [] }: Progress,
    hasLeft: boolean,
  ): Record<'handled' | 'returned' | 'failed', QueueEvent[]> {
    this.#capacity = hasLeft ? 0 : Math.min(capacity, MAX_IN_HAND)
    this.#begun = Math.max(this.#begun, begun)
    const taken = (lengths: RunLengths) => this.#take(keysIn(lengths, this.#inHand))
    const settled = { handled: taken(handled), returned: taken(returned), failed: taken(failed) }
    this.#done += settled.handled.length + settled.failed.length
    return settled
  }

  /** It is gone. Returns what it had in hand. */
  close(): Hand {
    const events = [...this.#inHand]
    this.#inHand.clear()
    this.#isGone = true
    this.#capacity = this.#bytes = 0
    return {
      begun: events.filter(([number]) => number <= this.#begun).map(([, event]) => event),
      notBegun: events.filter(([number]) => number > this.#begun).map(([, event]) => event),
    }
  }

  #take(numbers: Iterable<number>): QueueEvent[] {
    const events: QueueEvent[] = []
    for (const number of numbers) {
      const event = this.#inHand.get(number)
      if (!event) continue
      this.#inHand.delete(number)
      this.#bytes -= event.cost
      events.push(event)
    }
    return events
  }
}
