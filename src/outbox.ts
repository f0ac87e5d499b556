import PQueue from 'p-queue'
import { Backlog } from './backlog'
import type { Clock } from './clock'
import type { Remainder } from './ending'
import type { Frame } from './frame'
import type { Holder, Holdings } from './holdings'
import type { Limits } from './limits'
import type { Handling } from './overflow'
import { Pace } from './pace'
import type { Connection } from './transport'

/** Bytes waiting from which on they leave at once instead of at the end of the turn. */
const FLUSH_AT_ONCE = 64 * 1024

/** Bytes handed to the connection at a time. What is behind them can still be dropped; they can't. */
const SLICE = 256 * 1024

export interface OutboxContext {
  readonly connection: Connection
  readonly clock: Clock
  readonly limits: Limits
  readonly holdings: Holdings
}

export interface OutboxEvents {
  readonly lagging: () => void
  readonly recovered: () => void
  /** At its cap, with an event for which the peer is to be disconnected. */
  readonly overflowed: () => void
}

/**
 * What waits to be sent to one peer: bounded, in order, flushed by jobs of a queue of concurrency 1, each of which
 * takes all that the peer's window has room for. Control messages overtake events and need no window; a gap stands where
 * the events it counts have been.
 */
export class Outbox implements Holder {
  readonly #context: OutboxContext
  readonly #events: OutboxEvents
  readonly #backlog: Backlog
  readonly #pace: Pace
  readonly #flushes = new PQueue({ concurrency: 1 })
  #flush: 'idle' | 'scheduled' | 'running' | 'closed' = 'idle'
  #urgent: Frame[] = []
  #leavingBytes = 0
  #leavingEvents = 0
  /** Bytes of events that the peer takes ahead of its credit. */
  #window = Number.POSITIVE_INFINITY
  /** Sent, and not credited yet. */
  #aheadBytes = 0
  #aheadEvents = 0
  #emptied: (() => void)[] = []

  constructor(context: OutboxContext, events: OutboxEvents) {
    this.#context = context
    this.#events = events
    this.#backlog = new Backlog(context.holdings)
    this.#pace = new Pace(context.clock, context.limits.patience, events.lagging)
    context.holdings.join(this)
  }

  /** Bytes of events that wait, and can still be given up. */
  get bytes(): number {
    return this.#backlog.bytes
  }

  /** Bytes of events accepted that have not left this process. */
  get queuedBytes(): number {
    return this.#backlog.bytes + this.#leavingBytes
  }

  /** Events accepted that have not left this process. */
  get queuedEvents(): number {
    return this.#backlog.events + Math.min(this.#leavingEvents, this.#aheadEvents)
  }

  /** Events dropped since the beginning. */
  get droppedEvents(): number {
    return this.#backlog.droppedInAll
  }

  /** Those among them that were for members of queues. */
  get droppedAssignments(): number {
    return this.#backlog.droppedAssignments
  }

  /** Events that the peer has been sent and has given no credit for. */
  get unconfirmedEvents(): number {
    return this.#aheadEvents
  }

  get isClosed(): boolean {
    return this.#flush === 'closed'
  }

  get isLagging(): boolean {
    return this.#pace.isLagging
  }

  /** Should senders wait? Not for a peer that has used up its patience. */
  get isOverMark(): boolean {
    const { highWaterMark } = this.#context.limits
    return this.queuedBytes > highWaterMark && !this.#pace.isLagging && this.#flush !== 'closed'
  }

  /** The peer has said how far it lets us be ahead of its credit. */
  set window(bytes: number) {
    this.#window = bytes
  }

  /** Takes an event's frame. */
  push(frame: Frame, handling: Handling): void {
    if (this.#flush === 'closed' || !this.#hasRoom(frame, handling)) return
    const isBehind = this.#flush === 'running' || !this.#isWindowOpen
    if (handling.kind === 'latest' && isBehind) this.#backlog.pushNewest(handling.key, frame)
    else this.#backlog.push(frame, isBehind)
    this.#context.holdings.makeRoom()
    this.#notePace()
    this.#schedule(this.#backlog.bytes >= FLUSH_AT_ONCE)
  }

  /** Takes a control message's frame, to be sent before every event that waits. */
  pushUrgent(frame: Frame): void {
    if (this.#flush === 'closed') return
    this.#urgent.push(frame)
    this.#schedule(false)
  }

  /** The peer is done with so much of what it was sent. */
  credit(bytes: number, events: number): void {
    this.#aheadBytes = Math.max(this.#aheadBytes - bytes, 0)
    this.#aheadEvents = Math.max(this.#aheadEvents - events, 0)
    this.#notePace()
    if (this.#hasSendable()) this.#schedule(false)
  }

  /** Resolves below the high-water mark, when the peer's patience is used up, or when the outbox is closed. */
  relief(): Promise<void> {
    if (!this.isOverMark) return Promise.resolve()
    return this.#pace.wait()
  }

  /** Resolves when all that was taken has left this process, or the outbox is closed. */
  async flushed(): Promise<void> {
    if (this.#hasSendable() && this.#flush !== 'running') this.#start()
    if (this.#isEmpty) return
    await new Promise<void>((resolve) => this.#emptied.push(resolve))
  }

  /**
   * Takes back the events for members of queues that have not left yet, so that others can get them. A peer that lags
   * has not recovered by that: it has yet to show that it reads.
   */
  recall(isWanted: (frame: Frame) => boolean): Frame[] {
    const recalled = this.#backlog.recall(isWanted)
    this.#noteRelief()
    this.#noteEmpty()
    return recalled
  }

  /** Gives up its oldest event, where all outboxes together hold too much. */
  giveUpOldest(): boolean {
    const hadAny = this.#backlog.giveUpOldest()
    this.#noteRelief()
    this.#schedule(false)
    return hadAny
  }

  /**
   * Takes and sends nothing more; what waits can only be recalled, until `discard`. Calling it again returns what the
   * peer has not confirmed by then.
   */
  close(): Remainder {
    if (this.#flush === 'closed') return { undelivered: 0, unconfirmed: this.#aheadEvents }
    const undelivered = this.queuedEvents + this.#backlog.dropped
    this.#flush = 'closed'
    this.#urgent = []
    this.#aheadEvents = Math.max(this.#aheadEvents - this.#leavingEvents, 0)
    this.#leavingBytes = this.#leavingEvents = 0
    this.#pace.relieve()
    this.#noteEmpty()
    return { undelivered, unconfirmed: this.#aheadEvents }
  }

  /** Lets go of all that is left when it is closed. */
  discard(): void {
    this.#backlog.clear()
    this.#context.holdings.leave(this)
  }

  get #isWindowOpen(): boolean {
    return this.#aheadBytes < this.#window
  }

  get #isEmpty(): boolean {
    const isLeft = this.#backlog.events > 0 || this.#urgent.length > 0 || this.#backlog.dropped > 0
    return this.#flush === 'closed' || (!isLeft && this.#flush !== 'running')
  }

  #hasSendable(): boolean {
    if (this.#flush === 'closed') return false
    if (this.#urgent.length > 0) return true
    return this.#isWindowOpen && (this.#backlog.events > 0 || this.#backlog.dropped > 0)
  }

  /**
   * Makes room for an event at the cap, in the way that was chosen for it. Where what is being written fills the outbox,
   * the newest event may be over the cap: it matters most, and there is nothing left to drop for it.
   */
  #hasRoom(frame: Frame, { kind }: Handling): boolean {
    const size = frame.end - frame.start
    const { outbox: cap } = this.#context.limits
    while (this.queuedBytes + size > cap) {
      if (kind === 'disconnect') {
        this.#backlog.refuse(frame)
        this.#events.overflowed()
        return false
      }
      if (kind !== 'dropNewest') {
        if (this.#backlog.giveUpOldest()) continue
        return true
      }
      this.#backlog.refuse(frame)
      this.#schedule(false)
      return false
    }
    return true
  }

  #schedule(atOnce: boolean): void {
    if (this.#flush === 'running' || this.#flush === 'closed' || !this.#hasSendable()) return
    if (atOnce) return this.#start()
    if (this.#flush === 'scheduled') return
    this.#flush = 'scheduled'
    this.#context.clock.defer(() => {
      if (this.#flush === 'scheduled') this.#start()
    })
  }

  #start(): void {
    this.#flush = 'running'
    void this.#flushes.add(this.#sendAll)
  }

  readonly #sendAll = async (): Promise<void> => {
    while (this.#hasSendable()) {
      const chunks = this.#take()
      await new Promise<void>((resolve) => this.#context.connection.write(chunks, resolve))
      this.#leavingBytes = this.#leavingEvents = 0
      this.#notePace()
    }
    if (this.#flush === 'running') this.#flush = 'idle'
    this.#noteEmpty()
  }

  /** The next slice: control messages, then events as the window has room for them. */
  #take(): Buffer[] {
    const chunks = this.#takeUrgent()
    if (this.#urgent.length > 0 || !this.#isWindowOpen) return chunks
    const slice = this.#backlog.take(Math.min(SLICE, this.#window - this.#aheadBytes))
    this.#leavingBytes = slice.bytes
    this.#leavingEvents = slice.events
    this.#aheadBytes += slice.bytes
    this.#aheadEvents += slice.events
    chunks.push(...slice.chunks)
    return chunks
  }

  #takeUrgent(): Buffer[] {
    let taken = 0
    let count = 0
    for (const { start, end } of this.#urgent) {
      if (taken >= SLICE) break
      taken += end - start
      count++
    }
    return this.#urgent.splice(0, count).map(({ bytes, start, end }) => bytes.subarray(start, end))
  }

  #noteEmpty(): void {
    if (!this.#isEmpty) return
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #noteRelief(): void {
    if (this.queuedBytes <= this.#context.limits.highWaterMark) this.#pace.relieve()
  }

  #notePace(): void {
    if (this.#flush === 'closed') return
    this.#noteRelief()
    if (this.queuedBytes === 0 && this.#pace.recover()) this.#events.recovered()
  }
}
