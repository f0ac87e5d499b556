import { expect } from 'chai'
import { Inbound } from '../../src/channel/inbound'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { type Receipt, ReceiveWindow } from '../../src/channel/receive-window'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import type { OverflowPolicy } from '../../src/model/overflow'
import { assignmentOf, decodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { FrameReader, PREFIX_BYTES } from '../../src/wire/frame'
import { Slabs } from '../../src/wire/slabs'
import { ManualClock } from './manual-clock'

export interface Bounds {
  readonly window: number
  readonly outbox: number
  readonly outboxTotal: number
}

/** How a receiver handles an event: the number of holders, and whether they finish at once. */
export type Holding = 'nobody' | 'one' | 'two' | 'one at once, one later'

export interface Push {
  readonly policy: 'wait' | 'dropOldest' | 'dropNewest' | 'latest'
  readonly key: string
  readonly bytes: number
  readonly isAssignment: boolean
}

/** One received item: the number of an event, or a gap. */
type Arrival = number | { readonly gap: number }

/** A write that has not arrived, or whose sender does not know that it has. */
interface Write {
  readonly bytes: Buffer
  /** The bytes, in use by the kernel until the write is done. */
  readonly chunks: readonly Uint8Array[]
  readonly events: number
  /** Dropped events whose gap is in this write. */
  readonly gaps: number
  readonly done: () => void
}

/** Runs the continuations of settled promises. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** An outbox, a wire on which everything is as late as it likes, and a receive window. */
export class BackpressureModel {
  readonly arrivals: Arrival[] = []
  readonly recalled = new Set<number>()
  /** The last number of each key. */
  readonly newest = new Map<string, number>()
  readonly outbox: Outbox
  readonly budget: MemoryBudget
  pushed = 0
  holding: Holding = 'nobody'
  readonly #bounds: Bounds
  readonly #clock = new ManualClock()
  /** Small slabs, so that they are reused often: bytes still needed must not be overwritten. */
  readonly #slabs = new Slabs(1024)
  readonly #encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes, this.#slabs)
  readonly #leaving: Write[] = []
  readonly #onWire: Buffer[] = []
  readonly #credits: [bytes: number, events: number][] = []
  readonly #receipts: { readonly receipt: Receipt; readonly number: number }[] = []
  readonly #held = new Map<number, { holders: number; readonly bytes: number }>()
  readonly #inbound: Inbound
  readonly #receiveWindow: ReceiveWindow
  #largest = 0
  #writes = 0
  #writtenEvents = 0
  #writtenGaps = 0
  #aheadBytes = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
    this.budget = new MemoryBudget(bounds.outboxTotal, this.#slabs)
    const { window: windowBytes, outbox: outboxBytes, outboxTotal: outboxTotalBytes } = bounds
    const highWaterMark = outboxBytes / 2
    const limits = { ...DEFAULT_LIMITS, windowBytes, outboxBytes, outboxTotalBytes, highWaterMark }
    const connection = {
      attach() {},
      write: (chunks: readonly Uint8Array[], done: () => void) => this.#write(chunks, done),
      end() {},
      linger() {},
      destroy() {},
    }
    this.outbox = new Outbox(
      { connection, clock: this.#clock, limits, budget: this.budget },
      { lagging() {}, recovered() {}, overflowed: () => expect.fail('nobody is to be disconnected') },
    )
    this.outbox.window = bounds.window
    this.#receiveWindow = new ReceiveWindow(bounds.window, this.#clock, (bytes, events) =>
      this.#credits.push([bytes, events]),
    )
    this.#inbound = new Inbound(DEFAULT_LIMITS.frameBytes, true, this.#receiveWindow, {
      event: (_type, payload) => this.#receive(payload),
      message: (message) => {
        if (message.kind === 'gap') this.arrivals.push({ gap: message.count })
        else if (message.kind === 'assign') this.#receive(message.payload)
        else expect.fail(`nobody sent ${message.kind}`)
      },
    })
  }

  push({ policy, key, bytes, isAssignment }: Push): void {
    this.#encoder.releaseSlabs()
    const number = this.pushed++
    const event = this.#encoder.event('e', [number, Buffer.alloc(bytes)])
    const frame = isAssignment ? this.#encoder.assignment(event, { queue: 'q', type: 'e', isFixed: false }) : event
    this.#largest = Math.max(this.#largest, frame.end - frame.start)
    const handling: OverflowPolicy = policy === 'latest' ? { kind: 'latest', key } : { kind: policy }
    if (policy === 'latest') this.newest.set(key, number)
    this.outbox.push(frame, handling)
  }

  /** Pushes `count` events in a row, as a loop of broadcasts does. */
  burst(count: number, bytes: number): void {
    for (let event = 0; event < count; event++) {
      this.push({ policy: 'wait', key: '', bytes, isAssignment: false })
    }
  }

  /** The current write is done: its sender is told. */
  async leave(): Promise<void> {
    const write = this.#leaving.shift()
    if (write)
      expect(Buffer.concat(write.chunks).equals(write.bytes), 'what is being written stays as it is').to.equal(true)
    write?.done()
    await settle()
  }

  /** The next bytes arrive, a whole write or a part of it. */
  arrive(share: number): void {
    const bytes = this.#onWire.shift()
    if (!bytes) return
    const cut = Math.ceil(bytes.length * share)
    if (cut < bytes.length) this.#onWire.unshift(bytes.subarray(cut))
    this.#inbound.push(bytes.subarray(0, cut))
  }

  /** One holder of an event finishes it. */
  settle(index: number): void {
    const [one] = this.#receipts.splice(index % Math.max(this.#receipts.length, 1), 1)
    if (!one) return
    const held = this.#held.get(one.number)
    if (held && --held.holders === 0) this.#held.delete(one.number)
    if (index % 2 === 0) one.receipt.done()
    else one.receipt.release()
  }

  /** The next credit arrives at the sender. */
  credit(): void {
    const [bytes, events] = this.#credits.shift() ?? [0, 0]
    this.#aheadBytes -= bytes
    this.outbox.credit(bytes, events)
  }

  turn(): void {
    this.#clock.turn()
  }

  recall(remainder: number): void {
    const frames = this.outbox.removeAssignments((frame) => numberOf(assignmentOf(frame).payload) % 3 === remainder)
    for (const frame of frames) this.recalled.add(numberOf(assignmentOf(frame).payload))
  }

  /** Checks the invariants. */
  check(): void {
    const { window, outbox: cap } = this.#bounds
    const leaving = this.#leaving.reduce((sum, { bytes }) => sum + bytes.length, 0)
    // The newest event fits next to the current write.
    expect(this.outbox.queuedBytes, 'bytes queued').to.be.within(0, Math.max(cap, leaving + this.#largest))
    expect(this.outbox.queuedEvents, 'events queued').to.be.at.least(0)
    expect(this.#aheadBytes, 'bytes ahead of credit').to.be.within(0, window + this.#largest - 1)
    const held = [...this.#held.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    expect(held, 'bytes held by the receiver').to.be.below(window + this.#largest)
    expect(this.outbox.unconfirmedEvents, 'unconfirmed events').to.be.at.least(this.#held.size)
  }

  /** Makes progress everywhere until nothing is left to do. */
  async drain(): Promise<void> {
    this.holding = 'nobody'
    let isFlushed = false
    void this.outbox.flushed().then(() => {
      isFlushed = true
    })
    const most = 20 * (this.pushed + 1)
    for (let round = 0; !isFlushed || this.#onWire.length > 0; round++) {
      if (round > most) expect.fail(`still ${this.outbox.queuedEvents} events queued, and nothing left to do`)
      await this.leave()
      this.arrive(1)
      this.settle(round)
      this.turn()
      this.credit()
      this.check()
    }
    expect(this.outbox.queuedBytes).to.equal(0)
    expect(this.outbox.queuedEvents).to.equal(0)
    expect(this.budget.total).to.equal(0)
  }

  /** Closes the outbox; each pushed event was sent, announced as dropped, or is counted as undelivered. */
  close(): void {
    const underWay = this.#leaving.reduce((sum, { events }) => sum + events, 0)
    // Events that the peer gave credit for were sent, whether or not the sender has been told.
    const leaving = Math.min(underWay, this.outbox.unconfirmedEvents)
    const accounted = this.#writtenEvents - leaving + this.#writtenGaps + this.recalled.size
    // So were the gaps before them, and no others.
    const untold = this.#leaving.reduce((sum, { gaps }) => sum + gaps, 0)
    const inAll = accounted + this.outbox.close().undelivered
    expect(inAll, 'events accounted for').to.be.within(this.pushed, this.pushed + untold)
    this.outbox.discard()
    expect(this.budget.total).to.equal(0)
  }

  /** Some writes wait for the kernel, others complete at once. */
  #write(chunks: readonly Uint8Array[], done: () => void): boolean {
    const bytes = Buffer.concat(chunks)
    let events = 0
    let gaps = 0
    const reader = new FrameReader(DEFAULT_LIMITS.frameBytes, (body, start, end) => {
      const message = decodeMessage(body, start, end)
      if (message.kind === 'gap') gaps += message.count
      else {
        events++
        this.#aheadBytes += end - start + PREFIX_BYTES
      }
    })
    reader.push(bytes)
    this.#writtenEvents += events
    this.#writtenGaps += gaps
    this.#onWire.push(bytes)
    const isTaken = this.#writes++ % 3 === 1
    if (!isTaken) this.#leaving.push({ bytes, chunks, events, gaps, done })
    return isTaken
  }

  #receive(payload: unknown): void {
    const number = numberOf(payload)
    this.arrivals.push(number)
    if (this.holding === 'one at once, one later') this.#receiveWindow.hold().done()
    const holders = this.holding === 'nobody' ? 0 : this.holding === 'two' ? 2 : 1
    for (let holder = 0; holder < holders; holder++)
      this.#receipts.push({ number, receipt: this.#receiveWindow.hold() })
    // The frame has a few bytes more.
    if (holders > 0) this.#held.set(number, { holders, bytes: fillerOf(payload) })
  }
}

function numberOf(payload: unknown): number {
  return Array.isArray(payload) && typeof payload[0] === 'number' ? payload[0] : Number.NaN
}

function fillerOf(payload: unknown): number {
  return Array.isArray(payload) && payload[1] instanceof Uint8Array ? payload[1].length : 0
}
