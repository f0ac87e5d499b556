import { type Limits, MIN_CONTROL_BYTES } from '../model/limits'
import type { OverflowPolicy } from '../model/overflow'
import type { Clock } from '../platform/clock'
import type { Connection } from '../platform/transport'
import { encodeMessage, eventTypeIn } from '../wire/codec'
import type { Frame } from '../wire/frame'
import { isBulk, type Message } from '../wire/message'
import type { ShapeKeys } from '../wire/shape-limits'
import { SLAB_BYTES } from '../wire/slabs'
import { Backlog, EMPTY_SLICE } from './backlog'
import { Flusher } from './flusher'
import { Lag } from './lag'
import type { BudgetHolder, MemoryBudget } from './memory-budget'
import { MessageQueue } from './message-queue'
import { SendWindow } from './send-window'

const NO_CHUNKS: readonly Buffer[] = []

/** Milliseconds after which a peer that has read nothing gives way to others at the total limit. Credit takes up to 100. */
const STALLED_AFTER = 300

/** Bytes per write, up to the end of the run that reaches them. Events after them can still be dropped. */
const SLICE_BYTES = SLAB_BYTES

export interface OutboxContext {
  readonly connection: Connection
  readonly clock: Clock
  readonly limits: Limits
  readonly budget: MemoryBudget
  /** Called with the type of each event that is dropped. */
  readonly onDropped?: ((type: string) => void) | undefined
}

/** Events that a closed outbox cannot vouch for. */
export interface Remainder {
  /** Still queued. */
  readonly undelivered: number
  /** Sent and not acknowledged by credit. */
  readonly unconfirmed: number
}

export interface OutboxEvents {
  /** The peer has read nothing for `patience`, or used up `slowShare`: senders no longer wait for it. */
  readonly lagging: () => void
  /** A lagging peer has caught up. */
  readonly recovered: () => void
  /** The peer reads, but holds senders up. */
  readonly slow: () => void
  /** Full of control messages, which cannot be dropped, or of events of the policy `disconnect`. */
  readonly overflowed: () => void
  /** It accepts bulk messages again. */
  readonly bulkDrained: () => void
}

/**
 * The send queue of one peer: bounded, in order, flushed as far as the peer's window allows. Dropped events leave a gap in
 * their place. Control messages overtake everything; bulk messages, such as responses, share the connection with events
 * byte by byte. Neither needs a window.
 *
 * While events are queued, a flush is scheduled, a write is under way, or the window is used up.
 */
export class Outbox implements BudgetHolder {
  /** Bytes that can be added to the last run with nothing else to decide: no limit is reached and no flush is due. */
  #headroom = 0
  readonly #backlog: Backlog
  readonly #flusher: Flusher
  readonly #sendWindow = new SendWindow()
  readonly #lag: Lag
  readonly #control: MessageQueue
  readonly #bulk: MessageQueue
  /** Bulk messages that wait for the events before them. */
  readonly #ordered: MessageQueue
  /** Bytes of bulk messages that have been written ahead of events, while there were both. */
  #bulkLead = 0
  #acceptsBulk = true
  #toldShapes = 0
  /** When the peer has read something last, or was first owed an event. */
  #readAt = 0
  /** The events of the write that is under way. */
  #writing = EMPTY_SLICE
  #flushWaiters: (() => void)[] = []
  /** Called when messages have been written: with true, or with false when the outbox has closed before. */
  #writeWaiters: ((isWritten: boolean) => void)[] = []
  readonly #context: OutboxContext
  readonly #events: OutboxEvents

  constructor(context: OutboxContext, events: OutboxEvents) {
    const { budget, clock, connection, limits, onDropped } = context
    this.#context = context
    this.#events = events
    this.#backlog = new Backlog(budget, onDropped && ((frame) => onDropped(eventTypeIn(frame))))
    this.#control = new MessageQueue((bytes) => budget.charge(bytes))
    this.#bulk = new MessageQueue((bytes) => budget.charge(bytes))
    this.#ordered = new MessageQueue((bytes) => budget.charge(bytes))
    this.#lag = new Lag(clock, limits, events)
    this.#flusher = new Flusher(connection, clock, {
      next: () => this.#next(),
      onWritten: () => this.#onWritten(),
    })
    budget.join(this)
  }

  /** Bytes of events that are not being written, and can still be dropped. */
  get bytes(): number {
    return this.#backlog.bytes
  }

  get isStalled(): boolean {
    const isOwing = this.queuedEvents > 0 || this.#sendWindow.events > 0
    return this.isLagging || (isOwing && this.#context.clock.now() - this.#readAt > STALLED_AFTER)
  }

  /** Bytes of events that have not left this process. */
  get queuedBytes(): number {
    return this.#backlog.bytes + this.#writing.bytes
  }

  /** Whether an event of so many bytes of memory fits in without another being dropped for it. */
  hasRoomFor(bytes: number): boolean {
    return this.#cost + bytes <= this.#context.limits.outboxBytes
  }

  /** Events that have not left this process. */
  get queuedEvents(): number {
    return this.#backlog.events + Math.min(this.#writing.events, this.#sendWindow.events)
  }

  /** Whether bulk messages are queued. */
  get hasBulk(): boolean {
    return !this.#bulk.isEmpty || !this.#ordered.isEmpty
  }

  /** Whether all events, and all gaps among them, have left this process. */
  get isEmpty(): boolean {
    return this.#backlog.isEmpty && this.queuedEvents === 0
  }

  /** Events dropped so far. */
  get droppedEvents(): number {
    return this.#backlog.dropped
  }

  /** Queue events among the dropped ones. */
  get droppedAssignments(): number {
    return this.#backlog.droppedAssignments
  }

  /** Events sent and not acknowledged by credit. */
  get unconfirmedEvents(): number {
    return this.#sendWindow.events
  }

  get isClosed(): boolean {
    return this.#flusher.isClosed
  }

  get isLagging(): boolean {
    return this.#lag.isLagging
  }

  /** Milliseconds for which senders have waited for the peer. */
  get waitedMs(): number {
    return this.#lag.waitedMs
  }

  /** Whether senders should wait for `drained`. They never wait for a peer that lags. */
  get needsDrain(): boolean {
    return this.queuedBytes > this.#context.limits.highWaterMark && !this.#lag.isLagging && !this.#flusher.isClosed
  }

  /** Bytes of events that may be sent to the peer now. */
  get windowLeft(): number {
    return Math.max(this.#sendWindow.remaining, 0)
  }

  /** Bytes of events that the peer accepts ahead of its credit. */
  set window(bytes: number) {
    this.#sendWindow.window = bytes
  }

  /**
   * Queues an event.
   *
   * @returns whether its sender should wait for `drained`; never with a policy other than `wait`
   */
  push(frame: Frame, policy: OverflowPolicy): boolean {
    const size = frame.end - frame.start
    if (size <= this.#headroom && policy.kind !== 'latest' && this.#backlog.extend(frame)) {
      this.#headroom -= size
      return false
    }
    if (this.#flusher.isClosed || !this.#add(frame, size, policy)) return false
    const { budget } = this.#context
    if (budget.isOver) budget.makeRoom()
    const isSlabful = this.#backlog.bytes >= SLAB_BYTES
    if (isSlabful || !this.#flusher.isScheduled) this.#schedule(isSlabful)
    this.#headroom = this.#headroomLeft()
    return policy.kind === 'wait' && this.needsDrain
  }

  /** Tells the peer the shapes that it does not know yet, ahead of the events whose records have them. */
  tellShapes(shapes: readonly ShapeKeys[]): void {
    while (this.#toldShapes < shapes.length) {
      this.#pushControl(encodeMessage({ kind: 'shape', keys: shapes[this.#toldShapes++] ?? [] }))
    }
  }

  /** Leaves a gap in place of an event that the peer doesn't take. */
  skip(frame: Frame): void {
    if (this.#flusher.isClosed) return
    this.#backlog.dropNewest(frame)
    this.#headroom = 0
    this.#schedule()
  }

  /**
   * Queues a message that is no event.
   *
   * @param limit largest size of its frame's body, in bytes
   * @param plainFor the name of a receiver that takes no integers over 64 bits
   * @throws UnserializablePayload, PayloadTooLarge
   */
  pushMessage(message: Message, limit: number, plainFor?: string): void {
    const frame = encodeMessage(message, limit, plainFor)
    if (isBulk(message)) this.pushBulk(frame)
    else this.#pushControl(frame)
  }

  /** Small messages go ahead of everything else. */
  #pushControl(frame: Frame): void {
    if (this.#flusher.isClosed) return
    this.#control.push(frame)
    this.#headroom = 0
    const { outboxTotalBytes } = this.#context.limits
    if (this.#control.cost > Math.max(outboxTotalBytes, MIN_CONTROL_BYTES)) this.#events.overflowed()
    this.#schedule()
  }

  /**
   * Queues an encoded message with a payload that is no event. Senders of new ones wait for `bulkDrained`.
   *
   * @param isOrdered whether it travels behind the events that are queued now
   */
  pushBulk(frame: Frame, isOrdered = false): void {
    if (this.#flusher.isClosed) return
    if (isOrdered) this.#ordered.push(frame, this.#backlog.cut())
    else this.#bulk.push(frame)
    this.#headroom = 0
    this.#acceptsBulk = this.#isBelowMark
    this.#schedule()
  }

  /** Whether a new bulk message may be queued. One more that is due anyway always may. */
  get acceptsBulk(): boolean {
    return this.#acceptsBulk
  }

  /** Removes a bulk message that is still queued. Returns whether it was. */
  cancelBulk(frame: Frame): boolean {
    const wasQueued = this.#bulk.remove(frame) || this.#ordered.remove(frame)
    if (wasQueued) this.#checkBulk()
    return wasQueued
  }

  /** The peer has handled so many bytes and events. Credit for no event says that it has read everything sent before. */
  credit(bytes: number, events: number): void {
    if (events === 0) this.#sendWindow.confirmGaps()
    this.#sendWindow.credit(bytes, events)
    this.#headroom = 0
    this.#releaseSenders()
    if (events > 0) {
      this.#readAt = this.#context.clock.now()
      this.#onRead(bytes)
    }
    this.#schedule()
  }

  /** Resolves below the high-water mark, when the peer starts to lag, or when the outbox closes. */
  drained(): Promise<void> {
    return this.needsDrain ? this.#lag.wait() : Promise.resolve()
  }

  /** Resolves when nothing is queued any more, or the outbox closes. */
  async flushed(): Promise<void> {
    if (this.#hasSendable) this.#flusher.flush()
    if (this.#isFlushed) return
    await new Promise<void>((resolve) => this.#flushWaiters.push(resolve))
  }

  /** Writes now what can be written. Returns whether all small messages have left this process. */
  writeControl(): boolean {
    if (this.#hasSendable) this.#flusher.flush()
    return this.#isControlWritten
  }

  /** Resolves when all small messages have left this process, to true, or when the outbox closes, to false. */
  controlWritten(): Promise<boolean> {
    if (this.#flusher.isClosed) return Promise.resolve(false)
    if (this.#isControlWritten) return Promise.resolve(true)
    return new Promise((resolve) => this.#writeWaiters.push(resolve))
  }

  /** Removes and returns queue events that are not being written. A lagging peer still lags: it has read nothing. */
  removeAssignments(isWanted: (frame: Frame) => boolean): Frame[] {
    const removed = this.#backlog.removeAssignments(isWanted)
    this.#releaseSenders()
    this.#schedule()
    this.#resolveFlushed()
    return removed
  }

  /** Writes the messages that are queued, without the events, past the flusher: the last thing to be sent. */
  flushMessages(): void {
    const chunks = [this.#control, this.#bulk, this.#ordered].flatMap((queue) => queue.take(Number.POSITIVE_INFINITY))
    if (chunks.length > 0) this.#context.connection.write(chunks, () => {})
  }

  /** Drops the oldest event, for the budget of all outboxes. Returns whether there was one. */
  dropOldest(): boolean {
    const hadAny = this.#backlog.dropOldest()
    this.#releaseSenders()
    this.#schedule()
    return hadAny
  }

  /**
   * Stops taking and sending; until `discard`, queue events can still be removed. A second call returns what is
   * unconfirmed by then.
   */
  close(): Remainder {
    if (this.isClosed) return { undelivered: 0, unconfirmed: this.#sendWindow.unconfirmed }
    const undelivered = this.queuedEvents + this.#backlog.unreported + this.#sendWindow.refund(this.#writing)
    this.#flusher.close()
    this.#headroom = 0
    this.#control.clear()
    this.#bulk.clear()
    this.#ordered.clear()
    this.#backlog.done(this.#writing, false)
    this.#writing = EMPTY_SLICE
    this.#lag.release()
    this.#resolveFlushed()
    this.#resolveWritten(false)
    return { undelivered, unconfirmed: this.#sendWindow.unconfirmed }
  }

  /** Drops what is left after `close`. */
  discard(): void {
    this.#backlog.clear()
    this.#context.budget.leave(this)
  }

  get #isFlushed(): boolean {
    if (this.#flusher.isClosed) return true
    return this.#backlog.isEmpty && this.#control.isEmpty && !this.hasBulk && !this.#flusher.isWriting
  }

  get #isControlWritten(): boolean {
    return this.#control.isEmpty && !this.#flusher.isWriting && !this.#flusher.isClosed
  }

  get #hasSendable(): boolean {
    if (this.#flusher.isClosed) return false
    return !this.#control.isEmpty || !this.#bulk.isEmpty || this.#hasSendableEvents
  }

  get #hasSendableEvents(): boolean {
    return this.#sendWindow.isOpen && !this.#backlog.isEmpty
  }

  get #isBelowMark(): boolean {
    return this.#bulk.cost + this.#ordered.cost <= this.#context.limits.highWaterMark
  }

  /** Adds an event to the backlog as its policy says. Returns whether it was added and not dropped. */
  #add(frame: Frame, size: number, policy: OverflowPolicy): boolean {
    const isBehind = this.#flusher.isWriting || !this.#sendWindow.isOpen
    const key = policy.kind === 'latest' && isBehind ? policy.key : undefined
    if (key !== undefined) this.#backlog.dropKey(key)
    if (this.#backlog.isEmpty && this.#sendWindow.events === 0) this.#readAt = this.#context.clock.now()
    const isFull = this.#cost + size > this.#context.limits.outboxBytes
    if (isFull && !this.#makeRoom(frame, size, policy)) return false
    if (key === undefined) this.#backlog.push(frame, isBehind)
    else {
      this.#backlog.pushLatest(key, frame)
      this.#releaseSenders()
    }
    return true
  }

  /**
   * Makes room for an event in a full outbox, or drops the event itself, as its policy says. While a write fills the
   * outbox there is nothing to drop for the newest event: it is queued beyond the limit.
   */
  #makeRoom(frame: Frame, size: number, { kind }: OverflowPolicy): boolean {
    if (kind === 'dropNewest' || kind === 'disconnect') {
      this.#backlog.dropNewest(frame)
      if (kind === 'disconnect') this.#events.overflowed()
      else this.#schedule()
      return false
    }
    const room = this.#context.limits.outboxBytes - size
    while (this.#cost > room && this.#backlog.dropOldest()) {}
    return true
  }

  /** Bytes of memory that the events take. */
  get #cost(): number {
    return this.#backlog.cost + this.#writing.bytes
  }

  /** Bytes until a limit is reached, or until the scheduled flush is due at once. */
  #headroomLeft(): number {
    const { highWaterMark, outboxBytes } = this.#context.limits
    const room = Math.min(highWaterMark - this.queuedBytes, outboxBytes - this.#cost)
    return this.#flusher.isScheduled ? Math.min(room, SLAB_BYTES - 1 - this.#backlog.bytes) : room
  }

  #schedule(isAtOnce = false): void {
    if (this.#flusher.isWriting) return
    this.#releaseOrdered()
    if (!this.#hasSendable) return
    if (isAtOnce) this.#flusher.flush()
    else this.#flusher.schedule()
  }

  /** The next write: control messages, then bulk messages and events, of which neither gets far ahead of the other. */
  #next(): readonly Buffer[] | undefined {
    this.#headroom = 0
    this.#releaseOrdered()
    if (!this.#hasSendable) {
      this.#resolveFlushed()
      return undefined
    }
    const control = this.#control.take(SLICE_BYTES)
    if (!this.#control.isEmpty) return control
    const bulk = this.#bulk.isEmpty ? NO_CHUNKS : this.#takeBulk()
    const messages = joined(control, bulk)
    // A large message is a write of its own: then it is the turn of the events.
    if (!this.#hasSendableEvents || (bulk.length > 0 && this.#bulkLead >= SLICE_BYTES)) return messages
    this.#writing = this.#backlog.take(SLICE_BYTES, this.#sendWindow.remaining)
    this.#sendWindow.spend(this.#writing)
    this.#bulkLead = Math.max(this.#bulkLead - this.#writing.bytes, 0)
    return joined(messages, this.#writing.chunks)
  }

  #releaseOrdered(): void {
    if (!this.#ordered.isEmpty) this.#ordered.moveTo(this.#bulk, (cut) => this.#backlog.hasPassed(cut))
  }

  #takeBulk(): readonly Buffer[] {
    if (this.#bulkLead > 0 && this.#hasSendableEvents) return NO_CHUNKS
    const chunks = this.#bulk.take(SLICE_BYTES)
    this.#bulkLead = this.#hasSendableEvents ? chunks.reduce((sum, { length }) => sum + length, 0) : 0
    this.#checkBulk()
    return chunks
  }

  #checkBulk(): void {
    if (this.#acceptsBulk || !this.#isBelowMark) return
    this.#acceptsBulk = true
    // Handlers may be called, so not from the middle of a write.
    this.#context.clock.nextTick(this.#events.bulkDrained)
  }

  #resolveWritten(isWritten: boolean): void {
    for (const resolve of this.#writeWaiters.splice(0)) resolve(isWritten)
  }

  #onWritten(): void {
    if (this.#writeWaiters.length > 0 && this.#isControlWritten) this.#resolveWritten(true)
    this.#backlog.done(this.#writing, true)
    const hasSentEvents = this.#writing.events > 0
    this.#writing = EMPTY_SLICE
    this.#releaseSenders()
    if (hasSentEvents) this.#onRead(0)
  }

  #resolveFlushed(): void {
    if (!this.#isFlushed) return
    for (const resolve of this.#flushWaiters.splice(0)) resolve()
  }

  #releaseSenders(): void {
    if (this.queuedBytes <= this.#context.limits.highWaterMark) this.#lag.release()
  }

  /** The peer has read events: only then it may have caught up. */
  #onRead(bytes: number): void {
    if (this.#flusher.isClosed) return
    this.#lag.onRead(bytes)
    if (this.#lag.recover(this.#sendWindow.window, this.queuedBytes === 0)) this.#events.recovered()
  }
}

function joined(first: readonly Buffer[], second: readonly Buffer[]): readonly Buffer[] {
  if (first.length === 0) return second
  return second.length === 0 ? first : [...first, ...second]
}
