import type { Channel } from '../channel/channel'
import type { Receipt } from '../channel/receive-window'
import { type LahjaError, NoSubscribers, ProtocolViolation } from '../model/errors'
import type { Event } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { MAX_IN_HAND } from '../model/limits'
import { type Clock, judgeAfter, type Timer } from '../platform/clock'
import { Fifo } from '../platform/fifo'
import type { Delivery } from '../wire/message'
import { Prefetch } from './prefetch'
import { ReadLease } from './read-lease'
import { SenderAccount } from './sender-account'
import { WorkTime } from './work-time'

/** Milliseconds of work that may be told as begun at once. */
const BEGUN_AHEAD = 1

/** Milliseconds after which the rest of these go back, if there are others that may have them. */
const SLOW = 5

/** The most events that are told as begun at once. */
const MOST_AHEAD = 256

/** Milliseconds without an event handled, after which what waits goes back, if there are others that may have it. */
const STALLED = 50

export interface MemberInboxContext {
  readonly member: number
  readonly queue: string
  /** How many events it takes from each sender, those that are being handled included; if adaptive, at first. */
  readonly capacity: number
  /** Whether it takes as many ahead as it handles in some milliseconds. */
  readonly isAdaptive: boolean
  /** How many events are handled concurrently. */
  readonly concurrency: number
  readonly clock: Clock
  /** Hands an event to the handler. */
  readonly handle: (event: Event, receipt: Receipt) => void
  /** Takes the events back that the handler has not been called for, as far as they are wanted. */
  readonly takeBack: (isWanted: (receipt: Receipt) => boolean) => void
  /** Whether a member at another endpoint may have an event of this type. */
  readonly hasOthers: (queue: string, type: string) => boolean
  /** Whether any other member may. */
  readonly isShared: (queue: string, type: string, member: number) => boolean
  /** Whether an event of this type is let in, and is one that the member has asked for. */
  readonly admits: (channel: Channel, type: string) => boolean
  readonly report: (error: LahjaError) => void
  /** Called when nothing is in hand any more. */
  readonly idle: () => void
}

/** Events that are handed to the handler together. */
interface Batch {
  /** How many of them it still has. */
  left: number
  readonly begunAt: number
}

/** What becomes of the items that the handler has. */
interface ItemEvents {
  onDone(item: Item, hasFailed: boolean): void
  onReleased(item: Item): void
}

/** An event that a member has been given. One object, as there is one for each event. */
class Item implements Receipt {
  readonly delivery: Delivery
  readonly account: SenderAccount
  /** Once the handler has it. */
  batch: Batch | undefined
  readonly #events: ItemEvents

  constructor(delivery: Delivery, account: SenderAccount, events: ItemEvents) {
    this.delivery = delivery
    this.account = account
    this.#events = events
  }

  done(hasFailed = false): void {
    this.#events.onDone(this, hasFailed)
  }

  release(): void {
    this.#events.onReleased(this)
  }
}

/**
 * The events that a member of a queue has been given, in order. Before the handler is called for one, its sender is told that
 * it has begun, in a message that has left the process: should this process die, the event is not given to another member.
 */
export class MemberInbox {
  readonly #context: MemberInboxContext
  readonly #accounts = new Map<Channel, SenderAccount>()
  readonly #waiting = new Fifo<Item>()
  /** A sender may have asked for events back, and given them to others, while this process was stopped. */
  readonly #lease: ReadLease
  /** Events with the handler, or about to be. */
  #begun = 0
  /** Events whose senders could not be told yet that they begin. */
  #untold = 0
  /** How many such senders there are. */
  #blocked = 0
  /** How many events are begun beyond those that are handled concurrently, as telling it takes longer than to handle them. */
  #ahead = 0
  #state: 'open' | 'leaving' | 'finishing' | 'closed' = 'open'
  /** Whether its senders have to be told that it takes nothing more, as they can't know of the end of the subscription. */
  #isEndpointClosing = false
  #isBeginning = false
  readonly #items: ItemEvents = {
    onDone: (item, hasFailed) => this.#onDone(item, hasFailed),
    onReleased: (item) => this.#onReleased(item),
  }
  #isReportPlanned = false
  /** Whether nothing begins until it is known what senders ask back. */
  #isRenewing = false
  /** Whether there may be events of senders that have left. */
  #hasLeftSenders = false
  /** How fast events are handled. Whether the capacity goes by it or not, what begins together does. */
  readonly #prefetch = new Prefetch()
  readonly #work = new WorkTime()
  /** While events wait. */
  #stall: Timer | undefined

  constructor(context: MemberInboxContext) {
    this.#context = context
    this.#lease = new ReadLease(context.clock)
  }

  /** Number of events that have not been handed to the handler. */
  get waiting(): number {
    return this.#waiting.length + this.#untold
  }

  get isIdle(): boolean {
    return this.#waiting.length + this.#begun + this.#untold === 0
  }

  /** Whether it has events of a sender in hand. */
  hasWorkOf(channel: Channel): boolean {
    return (this.#accounts.get(channel)?.inHand ?? 0) > 0
  }

  /** @throws ProtocolViolation for more events than the member takes */
  take(delivery: Delivery, channel: Channel): void {
    const account = this.#accountOf(channel)
    if (account.inHand >= account.mostCapacity) {
      const most = `expected at most ${account.mostCapacity} that are neither handled nor returned, got one more`
      throw new ProtocolViolation('window-exceeded', `events for member ${delivery.member}: ${most}`)
    }
    account.inHand++
    const item = new Item(delivery, account, this.#items)
    if (!isRecalled(item) && this.#isKept(item)) {
      this.#waiting.push(item)
      return this.#begin()
    }
    this.#return(item)
    // A sender that leaves may not be there at the end of the turn.
    this.#tell(account)
  }

  /** A sender asks for its events up to this number back, as far as they have not begun. */
  recall(channel: Channel, through: number): void {
    const account = this.#accountOf(channel)
    account.recalled = Math.max(account.recalled, through)
    this.#returnWaiting((item) => item.account === account && isRecalled(item))
  }

  /** The endpoint leaves: returns what others may have, now and later. */
  leave(): void {
    this.#isEndpointClosing = true
    if (this.#state === 'open') this.#state = 'leaving'
    this.#returnWaiting((item) => !this.#isKept(item))
  }

  /** The endpoint has not much time left: begins nothing more that its senders can keep for others. */
  finish(): void {
    if (this.#state !== 'closed') this.#state = 'finishing'
    this.#returnWaiting((item) => !this.#isKept(item))
  }

  /** The subscription has ended, or the time of a leaving endpoint is over: returns everything that has not begun. */
  close(): void {
    this.#state = 'closed'
    this.#returnWaiting(() => true)
  }

  /**
   * The link with a sender has ended.
   *
   * @param hasLeft whether it has left the bus. Otherwise it gives what has not begun to others
   */
  onClosed(channel: Channel, hasLeft: boolean): void {
    const account = this.#accounts.get(channel)
    if (!account) return
    this.#accounts.delete(channel)
    if (hasLeft) {
      this.#hasLeftSenders ||= account.inHand > 0
      return
    }
    account.isLost = true
    this.#removeWaiting((item) => item.account === account)
    if (this.isIdle) this.#context.idle()
  }

  /** Tells all senders now, not at the end of the turn. */
  report(): void {
    for (const account of this.#accounts.values()) this.#tell(account)
  }

  #begin(): void {
    // From within, a handler may get the next event, or end the subscription.
    if (this.#isBeginning) return
    this.#isBeginning = true
    try {
      while (this.#waiting.length > 0 && this.#begun < this.#context.concurrency) {
        if (!this.#lease.isValid) return void this.#beginOnceRenewed()
        const items = this.#nextBatch()
        if (items.length === 0) return
        this.#tellBegun(items)
        const untold = items.filter(({ account }) => account.isBlocked)
        for (const account of new Set(untold.map((item) => item.account)))
          void this.#handleOnceWritten(
            account,
            untold.filter((item) => item.account === account),
          )
        const told = untold.length === 0 ? items : items.filter(({ account }) => !account.isBlocked)
        // It may have been stopped before its senders were told.
        if (this.#lease.isValid) this.#handle(told)
        else void this.#handleUnlessRecalled(told)
      }
    } finally {
      this.#isBeginning = false
    }
    this.#watch()
  }

  async #beginOnceRenewed(): Promise<void> {
    if (this.#isRenewing) return
    this.#isRenewing = true
    await this.#lease.renew()
    this.#isRenewing = false
    this.#begin()
  }

  /**
   * A sender that doesn't read must not hold up the events of others. One whose link broke before it was told gives the events
   * to others.
   */
  async #handleOnceWritten(account: SenderAccount, items: readonly Item[]): Promise<void> {
    this.#begun -= items.length
    this.#untold += items.length
    this.#blocked++
    const isWritten = await account.channel.outbox.controlWritten()
    await this.#lease.renew()
    this.#blocked--
    this.#untold -= items.length
    account.isBlocked = false
    if (isWritten || !account.isLost) {
      this.#begun += items.length
      this.#handleOrReturn(items)
    }
    this.#begin()
    if (this.isIdle) this.#context.idle()
  }

  /** Handles events whose senders know that they begin, once it is known which of them they have asked back before. */
  async #handleUnlessRecalled(items: readonly Item[]): Promise<void> {
    await this.#lease.renew()
    this.#handleOrReturn(items)
    this.#begin()
    if (this.isIdle) this.#context.idle()
  }

  #handleOrReturn(items: readonly Item[]): void {
    for (const item of items) {
      if (!isRecalled(item)) continue
      this.#begun--
      this.#return(item)
    }
    this.#isBeginning = true
    try {
      this.#handle(items.filter((item) => !isRecalled(item)))
    } finally {
      this.#isBeginning = false
    }
  }

  #nextBatch(): readonly Item[] {
    const items = this.#takeWaiting(this.#context.concurrency + this.#ahead - this.#begun)
    for (const { account, delivery } of items) {
      this.#begun++
      account.begun = delivery.number
      account.isBehind = true
    }
    return items
  }

  /** Removes and returns the first items, this many at most, without those of senders that could not be told yet. */
  #takeWaiting(most: number): readonly Item[] {
    if (this.#blocked > 0) {
      // A sender that is told once a turn is blocked for the rest of it: then there is nothing to look for.
      if (this.#blocked >= this.#accounts.size && !this.#hasLeftSenders) return []
      let left = most
      return this.#removeWaiting(({ account }) => !account.isBlocked && left-- > 0)
    }
    const items: Item[] = []
    for (let item = this.#waiting.shift(); item; item = this.#waiting.shift()) {
      items.push(item)
      if (items.length >= most) break
    }
    return items
  }

  /** Marks those senders as blocked whose messages have not left this process. */
  #tellBegun(items: readonly Item[]): void {
    for (const { account } of items) {
      if (!account.isBehind) continue
      this.#tell(account)
      const { isOwn, outbox } = account.channel
      // An endpoint that dies takes its own queues along.
      if (!isOwn && !outbox.writeControl()) account.isBlocked = true
    }
  }

  #handle(items: readonly Item[]): void {
    if (items.length === 0) return
    const batch = { left: items.length, begunAt: this.#context.clock.now() }
    this.#work.onBegun(batch.begunAt)
    for (const item of items) {
      item.batch = batch
      const isLate = item !== items[0] && this.#context.clock.now() - batch.begunAt > SLOW
      // Handlers that take long without a promise hold up this process.
      if (isLate && this.#isSpare(item)) item.release()
      else this.#handleOne(item)
    }
  }

  #handleOne(item: Item): void {
    const { delivery, account } = item
    const { type, payload, redelivered, headers = NO_HEADERS } = delivery
    const { handle, admits } = this.#context
    if (!admits(account.channel, type)) return item.done()
    const origin = account.channel.identity.name
    handle(redelivered ? { type, payload, origin, headers, redelivered } : { type, payload, origin, headers }, item)
  }

  #onDone(item: Item, hasFailed: boolean): void {
    const { delivery, account } = item
    account.inHand--
    if (hasFailed) account.failed.add(delivery.number)
    else account.handled.add(delivery.number)
    this.#work.onHandled()
    this.#planReport()
    this.#onSettled(item)
  }

  #onReleased(item: Item): void {
    this.#return(item)
    this.#onSettled(item)
  }

  #onSettled({ batch }: Item): void {
    this.#begun--
    if (batch && --batch.left === 0) {
      const now = this.#context.clock.now()
      this.#work.onDone(now, batch.begunAt)
      this.#adapt(now - batch.begunAt)
    }
    this.#begin()
    if (this.isIdle) this.#context.idle()
  }

  #adapt(elapsed: number): void {
    if (elapsed > SLOW) this.#ahead = 0
    else if (elapsed <= BEGUN_AHEAD / 2) this.#ahead = Math.min(2 * this.#ahead + 1, MOST_AHEAD)
    else if (elapsed > BEGUN_AHEAD) this.#ahead = Math.floor(this.#ahead / 2)
  }

  /** Gives an event back to its sender. Nobody else knows of it once that is gone. */
  #return({ delivery, account }: Item): void {
    const { channel } = account
    account.inHand--
    if (channel.outbox.isClosed) return this.#reportLost(delivery, channel)
    account.returned.add(delivery.number)
    this.#planReport()
  }

  /** Whether an event that has not begun stays here. A sender that leaves, or has left, keeps nothing for others. */
  #isKept({ delivery, account }: Item): boolean {
    const { isOwn, isLeaving, outbox } = account.channel
    const isTheirs = isLeaving || outbox.isClosed
    switch (this.#state) {
      case 'open':
        return true
      case 'leaving':
        return isTheirs || this.#isLastResort(delivery)
      case 'finishing':
        // This endpoint keeps for others what waits in its own queues, but not for itself.
        return isTheirs || (isOwn && this.#isLastResort(delivery))
      case 'closed':
        return false
    }
  }

  #isLastResort({ isFixed, type }: Delivery): boolean {
    return isFixed || !this.#context.hasOthers(this.#context.queue, type)
  }

  /** Whether others may have an event because it takes long here. */
  #isSpare({ delivery, account }: Item): boolean {
    const { isShared, queue, member } = this.#context
    const { isLeaving, outbox } = account.channel
    const isGivable = !delivery.isFixed && !isLeaving && !outbox.isClosed
    return isGivable && isShared(queue, delivery.type, member)
  }

  #returnWaiting(isWanted: (item: Item) => boolean): void {
    for (const item of this.#removeWaiting(isWanted)) this.#return(item)
    this.report()
    if (this.isIdle) this.#context.idle()
  }

  #removeWaiting(isWanted: (item: Item) => boolean): readonly Item[] {
    const items = [...this.#waiting]
    const removed: Item[] = []
    this.#waiting.clear()
    for (const item of items) {
      if (isWanted(item)) removed.push(item)
      else this.#waiting.push(item)
    }
    return removed
  }

  /** Tells senders what has been settled at the end of the turn, together. */
  #planReport(): void {
    if (this.#isReportPlanned) return
    this.#isReportPlanned = true
    this.#context.clock.nextTurn(() => {
      this.#isReportPlanned = false
      this.#measure()
      this.report()
    })
  }

  /** How many events it takes of each sender, those that are being handled included. */
  get #capacity(): number {
    const { capacity, concurrency, isAdaptive } = this.#context
    if (!isAdaptive) return capacity
    let senders = 0
    for (const { inHand } of this.#accounts.values()) if (inHand > 0) senders++
    return Math.min(concurrency + Math.floor(this.#prefetch.events / Math.max(senders, 1)), MAX_IN_HAND)
  }

  /** One that leaves still takes what no other may have, until its time is nearly over. */
  #capacityFor({ isOwn }: Channel): number {
    const isTaking = this.#state === 'finishing' ? isOwn : this.#state !== 'closed'
    return isTaking ? this.#capacity : 0
  }

  /** Adapts the capacity to the events that have been handled since the last time. */
  #measure(): void {
    // What waits for a sender to be told is no work.
    const work = this.#work.sample(this.#context.clock.now(), this.#begun === 0)
    if (!work) return
    this.#prefetch.onHandled(work.events, work.elapsed)
    this.#returnAhead()
    this.#returnExcess()
  }

  /** While events wait: looks whether they are held up by some that take long. */
  #watch(): void {
    if (this.#stall) return
    const { concurrency, isAdaptive } = this.#context
    if (this.#begun <= concurrency && (this.#waiting.length === 0 || !isAdaptive)) return
    const { handled } = this.#work
    this.#stall = judgeAfter(this.#context.clock, STALLED, () => {
      this.#stall = undefined
      if (handled === this.#work.handled) this.#onStalled()
      this.#watch()
    })
  }

  #onStalled(): void {
    const begun = this.#begun
    // No event takes long: a sender does not read that the next one begins.
    if (begun === 0) return
    this.#ahead = 0
    const isAnySpare = this.#context.isAdaptive && [...this.#waiting].some((item) => this.#isSpare(item))
    if (begun <= this.#context.concurrency && !isAnySpare) return
    this.#prefetch.onStalled(this.#work.elapsed(this.#context.clock.now()))
    this.#returnAhead()
    this.#returnExcess()
    this.report()
  }

  /** Returns what has been told as begun too early, where others may have it. */
  #returnAhead(): void {
    const { concurrency, takeBack } = this.#context
    if (this.#begun <= concurrency + this.#prefetch.events) return
    takeBack((receipt) => receipt instanceof Item && this.#isSpare(receipt))
  }

  /** Returns the latest events beyond the capacity, where others may have them. */
  #returnExcess(): void {
    if (!this.#context.isAdaptive) return
    const capacity = this.#capacity
    const accounts = [...this.#accounts.values()]
    if (this.#waiting.length === 0 || accounts.every(({ inHand }) => inHand <= capacity)) return
    const returned = new Set<Item>()
    const left = new Map(accounts.map((account) => [account, account.inHand - capacity]))
    for (const item of [...this.#waiting].reverse()) {
      const excess = left.get(item.account) ?? 0
      if (excess <= 0 || !this.#isSpare(item)) continue
      left.set(item.account, excess - 1)
      returned.add(item)
    }
    if (returned.size === 0) return
    for (const item of this.#removeWaiting((item) => returned.has(item))) this.#return(item)
  }

  #tell(account: SenderAccount): void {
    const { member, isAdaptive } = this.#context
    const capacity = this.#capacityFor(account.channel)
    const isAdapted = isAdaptive && account.inHand > 0
    const isOver = this.#isEndpointClosing && capacity === 0
    account.tell(member, capacity, isAdapted || isOver)
  }

  #reportLost({ type, payload, headers = NO_HEADERS }: Delivery, { identity }: Channel): void {
    const why = `its member here has left the queue, and its sender ${identity.name} has disconnected`
    const event = { type, payload, origin: identity.name, headers }
    this.#context.report(new NoSubscribers(`event ${type} of queue ${this.#context.queue} is lost: ${why}`, { event }))
  }

  #accountOf(channel: Channel): SenderAccount {
    const known = this.#accounts.get(channel)
    if (known) return known
    const account = new SenderAccount(channel, this.#context.capacity)
    this.#accounts.set(channel, account)
    return account
  }
}

function isRecalled({ delivery, account }: Item): boolean {
  return delivery.number <= account.recalled
}
