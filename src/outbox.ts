import PQueue from 'p-queue'
import type { Clock, Timer } from './clock'
import { encodeMessage } from './codec'
import { type Frame, PREFIX_BYTES } from './frame'
import type { Limits } from './limits'
import type { Connection } from './transport'

/** Bytes waiting from which on they leave at once instead of at the end of the turn. */
const FLUSH_AT_ONCE = 64 * 1024

/** Bytes handed to the connection at a time. What is behind them can still be dropped; they can't. */
const SLICE = 256 * 1024

/**
 * Where the outbox stands with the peer's reading:
 *
 *     keeping-up ──over the mark──▶ waited-for ──patience over──▶ lagging
 *         ▲                             │                            │
 *         └──────below the mark─────────┴───────────drained──────────┘
 */
type Pace =
  | { readonly kind: 'keeping-up' }
  | { readonly kind: 'waited-for'; readonly relief: Promise<void>; readonly relieve: () => void; readonly timer: Timer }
  | { readonly kind: 'lagging' }

/** Events that lie one behind the other in one buffer. */
interface Run {
  bytes: Buffer
  start: number
  end: number
}

export interface OutboxEvents {
  readonly lagging: () => void
  readonly recovered: () => void
}

/**
 * What waits to be sent to one peer: bounded, in order, flushed by jobs of a queue of concurrency 1, each of which
 * takes all that is pending. Control messages overtake events; a gap stands where the events it counts have been.
 */
export class Outbox {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #events: OutboxEvents
  readonly #flushes = new PQueue({ concurrency: 1 })
  #flush: 'idle' | 'scheduled' | 'running' | 'closed' = 'idle'
  #pace: Pace = { kind: 'keeping-up' }
  #urgent: Frame[] = []
  #runs: Run[] = []
  #waitingBytes = 0
  #waitingEvents = 0
  #leavingBytes = 0
  #leavingEvents = 0
  #dropped = 0

  constructor(connection: Connection, clock: Clock, limits: Limits, events: OutboxEvents) {
    this.#connection = connection
    this.#clock = clock
    this.#limits = limits
    this.#events = events
  }

  /** Bytes of events accepted that have not left this process. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#leavingBytes
  }

  /** Events accepted that have not left this process. */
  get queuedEvents(): number {
    return this.#waitingEvents + this.#leavingEvents
  }

  get isLagging(): boolean {
    return this.#pace.kind === 'lagging'
  }

  /** Should senders wait? Not for a peer that has used up its patience. */
  get isOverMark(): boolean {
    return this.queuedBytes > this.#limits.highWaterMark && this.#pace.kind !== 'lagging' && this.#flush !== 'closed'
  }

  /** Takes an event's frame. At the cap the oldest events make room for it, as far as they can. */
  push(frame: Frame): void {
    if (this.#flush === 'closed') return
    const size = frame.end - frame.start
    while (this.queuedBytes + size > this.#limits.outbox) {
      if (this.#dropOldest()) continue
      this.#dropped++
      return this.#schedule(false)
    }
    const last = this.#runs.at(-1)
    if (last && last.bytes === frame.bytes && last.end === frame.start) last.end = frame.end
    else {
      if (last && this.#flush === 'running') letSlabGo(last)
      this.#runs.push({ ...frame })
    }
    this.#waitingBytes += size
    this.#waitingEvents++
    this.#schedule(this.#waitingBytes >= FLUSH_AT_ONCE)
  }

  /** Takes a control message's frame, to be sent before every event that waits. */
  pushUrgent(frame: Frame): void {
    if (this.#flush === 'closed') return
    this.#urgent.push(frame)
    this.#schedule(false)
  }

  /** Resolves below the high-water mark, when the peer's patience is used up, or when the outbox is closed. */
  relief(): Promise<void> {
    if (!this.isOverMark) return Promise.resolve()
    if (this.#pace.kind !== 'waited-for') {
      let relieve = () => {}
      const relief = new Promise<void>((resolve) => {
        relieve = resolve
      })
      const timer = this.#clock.after(this.#limits.patience, () => this.#lag())
      this.#pace = { kind: 'waited-for', relief, relieve, timer }
    }
    return this.#pace.relief
  }

  /** Resolves when all that was taken has left this process, or the outbox is closed. */
  async flushed(): Promise<void> {
    while (this.#hasWaiting()) {
      if (this.#flush !== 'running') this.#start()
      await this.#flushes.onIdle()
    }
    await this.#flushes.onIdle()
  }

  /** Takes and sends nothing more. Returns how many events die with it. */
  close(): number {
    const undelivered = this.queuedEvents + this.#dropped
    this.#dropped = 0
    this.#flush = 'closed'
    this.#urgent = []
    this.#runs = []
    this.#waitingBytes = this.#waitingEvents = this.#leavingBytes = this.#leavingEvents = 0
    this.#relieve()
    return undelivered
  }

  #hasWaiting(): boolean {
    return this.#flush !== 'closed' && (this.#runs.length > 0 || this.#urgent.length > 0 || this.#dropped > 0)
  }

  #schedule(atOnce: boolean): void {
    if (this.#flush === 'running' || this.#flush === 'closed') return
    if (atOnce) return this.#start()
    if (this.#flush === 'scheduled') return
    this.#flush = 'scheduled'
    this.#clock.defer(() => {
      if (this.#flush === 'scheduled') this.#start()
    })
  }

  #start(): void {
    this.#flush = 'running'
    void this.#flushes.add(this.#sendAll)
  }

  readonly #sendAll = async (): Promise<void> => {
    while (this.#hasWaiting()) {
      const chunks = this.#take()
      await new Promise<void>((resolve) => this.#connection.write(chunks, resolve))
      this.#leavingBytes = this.#leavingEvents = 0
      this.#notePace()
    }
    if (this.#flush === 'running') this.#flush = 'idle'
  }

  /** The next slice: control messages, the gap if there is one, then events. */
  #take(): Buffer[] {
    const chunks: Buffer[] = []
    for (const { bytes, start, end } of this.#urgent) chunks.push(bytes.subarray(start, end))
    this.#urgent = []
    if (this.#dropped > 0) {
      const { bytes, start, end } = encodeMessage({ kind: 'gap', count: this.#dropped })
      this.#dropped = 0
      chunks.push(bytes.subarray(start, end))
    }
    let runs = 0
    for (const { bytes, start, end } of this.#runs) {
      chunks.push(bytes.subarray(start, end))
      this.#leavingBytes += end - start
      runs++
      if (this.#leavingBytes >= SLICE) break
    }
    if (runs === this.#runs.length) {
      this.#runs = []
      this.#leavingEvents = this.#waitingEvents
    } else {
      for (const run of this.#runs.splice(0, runs)) this.#leavingEvents += countFrames(run)
    }
    this.#waitingBytes -= this.#leavingBytes
    this.#waitingEvents -= this.#leavingEvents
    return chunks
  }

  #dropOldest(): boolean {
    const run = this.#runs[0]
    if (!run) return false
    const size = frameSize(run, run.start)
    run.start += size
    if (run.start === run.end) this.#runs.shift()
    this.#waitingBytes -= size
    this.#waitingEvents--
    this.#dropped++
    return true
  }

  #lag(): void {
    this.#relieve()
    this.#pace = { kind: 'lagging' }
    this.#events.lagging()
  }

  #relieve(): void {
    if (this.#pace.kind !== 'waited-for') return
    this.#pace.timer.cancel()
    this.#pace.relieve()
    this.#pace = { kind: 'keeping-up' }
  }

  #notePace(): void {
    if (this.#pace.kind === 'waited-for' && this.queuedBytes <= this.#limits.highWaterMark) this.#relieve()
    if (this.#pace.kind === 'lagging' && this.queuedBytes === 0 && this.#flush !== 'closed') {
      this.#pace = { kind: 'keeping-up' }
      this.#events.recovered()
    }
  }
}

/** A backlog of small runs would keep a whole slab alive for each: where little of one is used, a copy takes its place. */
function letSlabGo(run: Run): void {
  const size = run.end - run.start
  if (size * 4 > run.bytes.length) return
  run.bytes = Buffer.from(run.bytes.subarray(run.start, run.end))
  run.start = 0
  run.end = size
}

/** Frames tell their own length, so a run needs no list of them. */
function frameSize({ bytes }: Run, at: number): number {
  return PREFIX_BYTES + bytes.readUInt32BE(at)
}

function countFrames(run: Run): number {
  let frames = 0
  for (let at = run.start; at < run.end; at += frameSize(run, at)) frames++
  return frames
}
