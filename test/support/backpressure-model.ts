import { expect } from 'chai'
import { Inbound } from '../../src/channel/inbound'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { type Receipt, ReceiveWindow } from '../../src/channel/receive-window'
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits'
import type { OverflowPolicy } from '../../src/model/overflow'
import { assignmentOf, decodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { FrameReader, PREFIX_BYTES } from '../../src/wire/frame'
import { Slabs } from '../../src/wire/slabs'
import { idleConnection } from './idle-connection'
import { ManualClock } from './manual-clock'

export type Bounds = Pick<Limits, 'windowBytes' | 'outboxBytes' | 'outboxTotalBytes'>

/** How many holders an event has at its receiver, and whether they are done with it at once. */
export type Holding = 'none' | 'one' | 'two' | 'one at once, one later'

export interface Push {
  readonly policy: 'wait' | 'dropOldest' | 'dropNewest' | 'latest'
  readonly key: string
  readonly bytes: number
  readonly isAssignment: boolean
}

/** What a receiver got: the number of an event, or a gap. */
type Arrival = number | { readonly gap: number }

/** A write that its sender does not know to have left. */
interface Write {
  readonly bytes: Buffer
  /** What the kernel reads until `done`. */
  readonly chunks: readonly Uint8Array[]
  readonly events: number
  /** Dropped events in its gap messages. */
  readonly gaps: number
  readonly done: () => void
}

/** Lets settled promises run. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** An outbox, a wire with any delay, and a receive window. */
export class BackpressureModel {
  readonly arrivals: Arrival[] = []
  readonly removed = new Set<number>()
  /** The last number of each key. */
  readonly newest = new Map<string, number>()
  readonly outbox: Outbox
  readonly budget: MemoryBudget
  pushed = 0
  holding: Holding = 'none'
  readonly #bounds: Bounds
  readonly #clock = new ManualClock()
  /** Small, so that slabs are soon reused: bytes that are still needed must not be overwritten. */
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
    this.budget = new MemoryBudget(bounds.outboxTotalBytes, this.#slabs)
    const limits: Limits = { ...DEFAULT_LIMITS, ...bounds, highWaterMark: bounds.outboxBytes / 2 }
    const write = (chunks: readonly Uint8Array[], done: () => void) => this.#write(chunks, done)
    const connection = { ...idleConnection, write }
    this.outbox = new Outbox(
      { connection, clock: this.#clock, limits, budget: this.budget },
      {
        lagging() {},
        recovered() {},
        slow() {},
        bulkDrained() {},
        overflowed: () => expect.fail('no policy here closes the link'),
      },
    )
    this.outbox.window = bounds.windowBytes
    this.#receiveWindow = new ReceiveWindow(bounds.windowBytes, this.#clock, (bytes, events) =>
      this.#credits.push([bytes, events]),
    )
    this.#inbound = new Inbound(DEFAULT_LIMITS.frameBytes, true, this.#receiveWindow, {
      event: (_type, payload) => this.#receive(payload),
      message: (message) => {
        if (message.kind === 'gap') this.arrivals.push({ gap: message.count })
        else if (message.kind === 'assign') this.#receive(message.payload)
        else expect.fail(`unexpected message ${message.kind}`)
      },
    })
  }

  push({ policy, key, bytes, isAssignment }: Push): void {
    this.#encoder.releaseSlabs()
    const number = this.pushed++
    const event = this.#encoder.event('e', [number, Buffer.alloc(bytes)])
    const frame = isAssignment ? this.#encoder.assignment(event, { queue: 'q', type: 'e', isFixed: false }) : event
    this.#largest = Math.max(this.#largest, frame.end - frame.start)
    const overflowPolicy: OverflowPolicy = policy === 'latest' ? { kind: 'latest', key } : { kind: policy }
    if (policy === 'latest') this.newest.set(key, number)
    const mustWait = this.outbox.push(frame, overflowPolicy)
    expect(mustWait, 'whether the sender waits').to.equal(policy === 'wait' && this.outbox.needsDrain)
  }

  /** The oldest write leaves, and its sender learns of it. */
  async leave(): Promise<void> {
    const write = this.#leaving.shift()
    if (write)
      expect(Buffer.concat(write.chunks).equals(write.bytes), 'what is being written stays as it is').to.equal(true)
    write?.done()
    await settle()
  }

  /** The next write arrives, whole or in part. */
  arrive(share: number): void {
    const bytes = this.#onWire.shift()
    if (!bytes) return
    const cut = Math.ceil(bytes.length * share)
    if (cut < bytes.length) this.#onWire.unshift(bytes.subarray(cut))
    this.#inbound.push(bytes.subarray(0, cut))
  }

  /** A holder is done with its event. */
  settle(index: number): void {
    const [one] = this.#receipts.splice(index % Math.max(this.#receipts.length, 1), 1)
    if (!one) return
    const held = this.#held.get(one.number)
    if (held && --held.holders === 0) this.#held.delete(one.number)
    if (index % 2 === 0) one.receipt.done()
    else one.receipt.release()
  }

  /** The next credit reaches the sender. */
  credit(): void {
    const [bytes, events] = this.#credits.shift() ?? [0, 0]
    this.#aheadBytes -= bytes
    this.outbox.credit(bytes, events)
  }

  turn(): void {
    this.#clock.turn()
  }

  removeAssignments(remainder: number): void {
    const frames = this.outbox.removeAssignments((frame) => numberOf(assignmentOf(frame).payload) % 3 === remainder)
    for (const frame of frames) this.removed.add(numberOf(assignmentOf(frame).payload))
  }

  /** Checks the invariants. */
  check(): void {
    const { windowBytes: window, outboxBytes: cap } = this.#bounds
    const leaving = this.#leaving.reduce((sum, { bytes }) => sum + bytes.length, 0)
    // The newest event is queued beside a write that fills the outbox.
    expect(this.outbox.queuedBytes, 'bytes queued').to.be.within(0, Math.max(cap, leaving + this.#largest))
    expect(this.outbox.queuedEvents, 'events queued').to.be.at.least(0)
    expect(this.#aheadBytes, 'bytes ahead of credit').to.be.within(0, window + this.#largest - 1)
    const held = [...this.#held.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    expect(held, 'bytes held by the receiver').to.be.below(window + this.#largest)
    expect(this.outbox.unconfirmedEvents, 'unconfirmed events').to.be.at.least(this.#held.size)
  }

  /** Lets everything leave, arrive and be handled. */
  async drain(): Promise<void> {
    this.holding = 'none'
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

  /** Closes the outbox: each pushed event has left, is in a gap message, or is undelivered. */
  close(): void {
    const underWay = this.#leaving.reduce((sum, { events }) => sum + events, 0)
    // Events with credit have left, even if their sender does not know yet.
    const leaving = Math.min(underWay, this.outbox.unconfirmedEvents)
    const accounted = this.#writtenEvents - leaving + this.#writtenGaps + this.removed.size
    // So have the gaps before them, and only those.
    const untold = this.#leaving.reduce((sum, { gaps }) => sum + gaps, 0)
    const inAll = accounted + this.outbox.close().undelivered
    expect(inAll, 'events accounted for').to.be.within(this.pushed, this.pushed + untold)
    this.outbox.discard()
    expect(this.budget.total).to.equal(0)
  }

  /** Every third write is taken at once. */
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
    const holders = this.holding === 'none' ? 0 : this.holding === 'two' ? 2 : 1
    for (let holder = 0; holder < holders; holder++)
      this.#receipts.push({ number, receipt: this.#receiveWindow.hold() })
    // Without the few bytes around the filler.
    if (holders > 0) this.#held.set(number, { holders, bytes: fillerOf(payload) })
  }
}

function numberOf(payload: unknown): number {
  return Array.isArray(payload) && typeof payload[0] === 'number' ? payload[0] : Number.NaN
}

function fillerOf(payload: unknown): number {
  return Array.isArray(payload) && payload[1] instanceof Uint8Array ? payload[1].length : 0
}
