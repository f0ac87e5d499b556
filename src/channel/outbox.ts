import { type Limits, MIN_CONTROL_BYTES } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import type { Clock } from '../platform/clock'
import type { Connection } from '../platform/transport'
import type { Frame } from '../wire/frame'
import { SLAB_BYTES } from '../wire/slabs'
import { Backlog, NOTHING } from './backlog'
import type { Burst, BurstTarget } from './burst'
import { ControlQueue } from './control-queue'
import { Flusher } from './flusher'
import { Lag } from './lag'
import type { BudgetHolder, MemoryBudget } from './memory-budget'
import { SendWindow } from './send-window'

/** Bytes, up to the end of their run, handed to the connection at a time. What is behind them can still be dropped. */
const SLICE = SLAB_BYTES

export interface OutboxContext {
  readonly connection: Connection
  readonly clock: Clock
  readonly limits: Limits
  readonly holdings: MemoryBudget
}

/** What was accepted for a peer and is not known to be done with there. */
export interface Remainder {
  /** Events that have not left. */
  readonly undelivered: number
  /** Events that have left and that the peer has given no credit for. */
  readonly unconfirmed: number
}

export interface OutboxEvents {
  readonly lagging: () => void
  readonly recovered: () => void
  /** At its cap, with what can't be dropped, or an event for which the peer is to be disconnected. */
  readonly overflowed: () => void
}

/**
 * What waits to be sent to one peer: bounded, in order, flushed as far as the peer's window has room. Control messages
 * overtake events and need no window; a gap stands where the events it counts have been.
 */
export class Outbox implements BudgetHolder, BurstTarget {
  readonly #context: OutboxContext
  readonly #events: OutboxEvents
  readonly #backlog: Backlog
  readonly #pace: Lag
  readonly #flusher: Flusher
  /** What others get too, and has not been handed over yet. */
  #burst: Burst | undefined
  readonly #control: ControlQueue
  #leaving = NOTHING
  readonly #allowance = new SendWindow()
  #emptied: (() => void)[] = []

  constructor(context: OutboxContext, events: OutboxEvents) {
    this.#context = context
    this.#events = events
    this.#backlog = new Backlog(context.holdings)
    this.#control = new ControlQueue(Math.max(context.limits.outboxTotalBytes, MIN_CONTROL_BYTES), events.overflowed)
    this.#pace = new Lag(context.clock, context.limits.patience, events.lagging)
    this.#flusher = new Flusher(context.connection, context.clock, {
      hasSendable: () => this.#hasSendable(),
      take: () => this.#take(),
      left: () => this.#left(),
      rested: () => this.#noteEmpty(),
    })
    context.holdings.join(this)
  }

  /** Bytes of events that wait, and can still be given up. */
  get bytes(): number {
    this.#gather()
    return this.#backlog.bytes
  }

  /** Bytes of events accepted that have not left this process. */
  get queuedBytes(): number {
    this.#gather()
    return this.#backlog.bytes + this.#leaving.bytes
  }

  /** Events accepted that have not left this process. */
  get queuedEvents(): number {
    this.#gather()
    return this.#backlog.events + Math.min(this.#leaving.events, this.#allowance.events)
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
    return this.#allowance.events
  }

  get isClosed(): boolean {
    return this.#flusher.isClosed
  }

  get isLagging(): boolean {
    return this.#pace.isLagging
  }

  /** Should senders wait? Not for a peer that has used up its patience. */
  get isOverMark(): boolean {
    return this.queuedBytes > this.#context.limits.highWaterMark && !this.#pace.isLagging && !this.#flusher.isClosed
  }

  /** The peer has said how far it lets us be ahead of its credit. */
  set window(bytes: number) {
    this.#allowance.window = bytes
  }

  /** Can it take a burst, as long as one gets, without anybody having to wait or anything to be dropped for it? */
  get isOpenForBurst(): boolean {
    if (this.#flusher.isClosed || !this.#allowance.isOpen || this.#pace.isLagging) return false
    return this.queuedBytes + SLAB_BYTES <= this.#context.limits.highWaterMark
  }

  /** Will get what the burst has when it is needed. */
  join(burst: Burst): void {
    this.#gather()
    this.#burst = burst
    this.#flusher.plan()
  }

  absorb(run: Frame, events: number): void {
    this.#burst = undefined
    if (this.#flusher.isClosed) return
    this.#backlog.push(run, this.#flusher.isRunning, events)
    this.#settle()
  }

  /** Takes an event's frame. */
  push(frame: Frame, handling: OverflowPolicy): void {
    if (this.#flusher.isClosed) return
    this.#gather()
    const isBehind = this.#flusher.isRunning || !this.#allowance.isOpen
    const key = handling.kind === 'latest' && isBehind ? handling.key : undefined
    if (key !== undefined) this.#backlog.dropOlder(key)
    const isFull = this.queuedBytes + frame.end - frame.start > this.#context.limits.outboxBytes
    if (isFull && !this.#makeRoom(frame, handling)) return
    if (key === undefined) this.#backlog.push(frame, isBehind)
    else this.#backlog.pushNewest(key, frame)
    if (key !== undefined) this.#noteRelief()
    this.#settle()
  }

  /** Takes a control message's frame, to be sent before every event that waits. */
  pushControl(frame: Frame): void {
    if (!this.#flusher.isClosed) this.#control.push(frame)
    this.#schedule(false)
  }

  /** Takes a control message back. Returns whether it was still waiting. */
  withdraw(frame: Frame): boolean {
    return this.#control.withdraw(frame)
  }

  /** The peer is done with so much of what it was sent. */
  credit(bytes: number, events: number): void {
    this.#allowance.credit(bytes, events)
    this.#notePace()
    this.#schedule(false)
  }

  /** Resolves below the high-water mark, when the peer's patience is used up, or when the outbox is closed. */
  relief(): Promise<void> {
    return this.isOverMark ? this.#pace.wait() : Promise.resolve()
  }

  /** Resolves when all that was taken has left this process, or the outbox is closed. */
  async flushed(): Promise<void> {
    if (this.#hasSendable()) this.#flusher.start()
    if (this.#isEmpty) return
    await new Promise<void>((resolve) => this.#emptied.push(resolve))
  }

  /** Takes back events for members of queues that haven't left. One that lags has yet to show that it reads. */
  recall(isWanted: (frame: Frame) => boolean): Frame[] {
    this.#gather()
    const recalled = this.#backlog.recall(isWanted)
    this.#noteRelief()
    this.#noteEmpty()
    return recalled
  }

  /** Hands over the control messages that wait, behind what is being written: nothing else will be sent any more. */
  sendLast(): void {
    if (!this.#control.isEmpty) this.#context.connection.write(this.#control.take(Number.POSITIVE_INFINITY), () => {})
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
    this.#gather()
    if (this.isClosed) return { undelivered: 0, unconfirmed: this.#allowance.unconfirmed }
    const undelivered = this.queuedEvents + this.#backlog.dropped + this.#allowance.takeBack(this.#leaving)
    this.#flusher.close()
    this.#control.clear()
    this.#backlog.done(this.#leaving, false)
    this.#leaving = NOTHING
    this.#pace.relieve()
    this.#noteEmpty()
    return { undelivered, unconfirmed: this.#allowance.unconfirmed }
  }

  /** Lets go of all that is left when it is closed. */
  discard(): void {
    this.#backlog.clear()
    this.#context.holdings.leave(this)
  }

  #gather(): void {
    this.#burst?.commit()
  }

  /** There is more in the backlog than before. */
  #settle(): void {
    if (this.#context.holdings.isOver) this.#context.holdings.makeRoom()
    const isMuch = this.#backlog.bytes >= SLAB_BYTES
    if (isMuch || this.#flusher.isIdle) this.#schedule(isMuch)
  }

  get #isEmpty(): boolean {
    return this.#flusher.isClosed || (this.#backlog.isEmpty && this.#control.isEmpty && !this.#flusher.isRunning)
  }

  #hasSendable(): boolean {
    this.#gather()
    if (this.#flusher.isClosed) return false
    return !this.#control.isEmpty || (this.#allowance.isOpen && !this.#backlog.isEmpty)
  }

  /**
   * Makes room for an event at the cap, in the way that was chosen for it. Where what is being written fills the outbox,
   * the newest event may be over the cap: it matters most, and there is nothing left to drop for it.
   */
  #makeRoom(frame: Frame, { kind }: OverflowPolicy): boolean {
    if (kind === 'dropNewest' || kind === 'disconnect') {
      this.#backlog.refuse(frame)
      if (kind === 'disconnect') this.#events.overflowed()
      else this.#schedule(false)
      return false
    }
    const room = this.#context.limits.outboxBytes - (frame.end - frame.start)
    while (this.queuedBytes > room && this.#backlog.giveUpOldest()) {}
    return true
  }

  #schedule(atOnce: boolean): void {
    if (this.#flusher.isRunning || !this.#hasSendable()) return
    if (atOnce) this.#flusher.start()
    else this.#flusher.plan()
  }

  /** What was taken has left this process. */
  #left(): void {
    this.#backlog.done(this.#leaving, true)
    this.#leaving = NOTHING
    this.#notePace()
  }

  /** The next slice: control messages, then events as the window has room for them. */
  #take(): Buffer[] {
    const chunks = this.#control.take(SLICE)
    if (!this.#control.isEmpty || !this.#allowance.isOpen) return chunks
    this.#leaving = this.#backlog.take(SLICE, this.#allowance.room)
    this.#allowance.spend(this.#leaving)
    return [...chunks, ...this.#leaving.chunks]
  }

  #noteEmpty(): void {
    if (!this.#isEmpty) return
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #noteRelief(): void {
    if (this.queuedBytes <= this.#context.limits.highWaterMark) this.#pace.relieve()
  }

  #notePace(): void {
    if (this.#flusher.isClosed) return
    this.#noteRelief()
    if (this.queuedBytes === 0 && this.#pace.recover()) this.#events.recovered()
  }
}
