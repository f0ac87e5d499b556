import { encodeMessage, isAssignment } from '../wire/codec'
import { countFrames, cutAfter, type Frame, frameEnd, framesOf, type Run } from '../wire/frame'
import type { MemoryBudget } from './memory-budget'
import type { Gap, Sent } from './send-window'

/** Events taken from the front of a backlog to be written together. */
export interface Slice extends Sent {
  readonly chunks: readonly Buffer[]
}

export const EMPTY_SLICE: Slice = { chunks: [], bytes: 0, events: 0, gaps: [] }

/** What a run with a buffer of its own takes besides its bytes, measured on Node 20 with events of 20 bytes. */
const COPY_BYTES = 320

/** A run that uses less than this part of its buffer is copied rather than keep the buffer alive. */
const SPARSE = 1 / 4

/** The events queued for one peer, in order, with gaps where events were dropped. */
export class Backlog {
  readonly #budget: MemoryBudget
  readonly #onDropped: (frame: Frame) => void
  #first: Run | undefined
  #last: Run | undefined
  /** The last run, while events may be added to it. */
  #open: Run | undefined
  #cuts = 0
  /** The run of each key of the policy `latest`. */
  readonly #latest = new Map<string, Run>()
  #bytes = 0
  #events = 0
  /** Runs with buffers of their own. */
  #copies = 0
  /** Events dropped after the last one, and the number of cuts before the first of them. */
  #trailingGap = 0
  #trailingGapCuts = 0
  #unreported = 0
  #dropped = 0
  #droppedAssignments = 0

  /** @param onDropped called with each event that is dropped, during the call */
  constructor(budget: MemoryBudget, onDropped: (frame: Frame) => void = () => {}) {
    this.#budget = budget
    this.#onDropped = onDropped
  }

  /** Bytes of the queued events. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes of memory that they take: many small runs take more than their bytes. */
  get cost(): number {
    return this.#bytes + this.#copies * COPY_BYTES
  }

  /** Queued events. */
  get events(): number {
    return this.#events
  }

  get isEmpty(): boolean {
    return this.#events === 0 && this.#unreported === 0
  }

  /** Dropped events that are in no gap message yet. */
  get unreported(): number {
    return this.#unreported
  }

  /** Events dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Queue events among the dropped ones. */
  get droppedAssignments(): number {
    return this.#droppedAssignments
  }

  /** Adds an event that directly follows the last one in the same buffer. Returns false, and adds nothing, if it does not. */
  extend({ bytes, start, end }: Frame): boolean {
    const open = this.#open
    if (open?.bytes !== bytes || open.end !== start) return false
    open.end = end
    open.events++
    this.#bytes += end - start
    this.#events++
    return true
  }

  /**
   * Adds an event at the end.
   *
   * @param isBehind whether the peer is behind: then a sparse run is copied, as it may stay for long
   */
  push(frame: Frame, isBehind: boolean): void {
    if (this.extend(frame)) return
    const { bytes, start, end } = frame
    if (this.#last && isBehind) this.#compact(this.#last)
    const run: Run = { bytes, start, end, events: 1, gap: 0, cuts: this.#cuts }
    this.#append(run)
    this.#open = run
    this.#bytes += end - start
    this.#events++
  }

  /** Adds an event at the end, and drops the queued one of the same key. */
  pushLatest(key: string, { bytes, start, end }: Frame): void {
    this.dropKey(key)
    const run: Run = { bytes, start, end, events: 1, key, gap: 0, cuts: this.#cuts }
    this.#append(run)
    this.#compact(run)
    this.#latest.set(key, run)
    this.#bytes += end - start
    this.#events++
  }

  /** Drops the queued event of a key, if there is one. */
  dropKey(key: string): void {
    const run = this.#latest.get(key)
    if (run) this.#dropFirst(run)
  }

  /** Drops a new event instead of adding it. */
  dropNewest(frame: Frame): void {
    this.#addTrailingGap(1, this.#cuts)
    this.#open = undefined
    this.#count(frame)
  }

  /** Marks the place behind the events that are queued now. Returns the mark, for `hasPassed`. */
  cut(): number {
    this.#open = undefined
    return ++this.#cuts
  }

  /** Whether neither an event that was queued before this cut is left, nor a gap in place of one. */
  hasPassed(cut: number): boolean {
    if (this.isEmpty) return true
    const cuts = this.#first ? (this.#first.gapCuts ?? this.#first.cuts) : this.#trailingGapCuts
    return cuts >= cut
  }

  /** Drops the oldest event. Returns whether there was one. */
  dropOldest(): boolean {
    const run = this.#first
    if (!run) return false
    this.#dropFirst(run)
    return true
  }

  /**
   * Takes events from the front, with gap messages where others were dropped. Their slabs stay pinned until `done`.
   *
   * @param bytes takes whole runs until this many bytes are reached
   * @param window takes no event after the one that reaches this many bytes, even within a run
   */
  take(bytes: number, window: number): Slice {
    const chunks: Buffer[] = []
    const gaps: Gap[] = []
    let taken = 0
    let events = 0
    while (this.#first && taken < bytes && taken < window) {
      const run = this.#first
      const cut = run.end - run.start > window - taken ? cutAfter(run, window - taken) : run.end
      if (run.gap > 0) {
        gaps.push(this.#reportGap(run.gap, events, chunks))
        run.gap = 0
        run.gapCuts = undefined
      }
      this.#budget.slabs.pin(run.bytes)
      chunks.push(run.bytes.subarray(run.start, cut))
      taken += cut - run.start
      events += this.#removeFront(run, cut)
    }
    if (!this.#first && this.#trailingGap > 0) {
      gaps.push(this.#reportGap(this.#trailingGap, events, chunks))
      this.#trailingGap = 0
    }
    this.#bytes -= taken
    this.#events -= events
    return { chunks, bytes: taken, events, gaps }
  }

  /**
   * A slice is no longer needed.
   *
   * @param isWritten false if the write was given up: the kernel may read its slabs at any time, so they are not reused
   */
  done({ chunks }: Slice, isWritten: boolean): void {
    const { slabs } = this.#budget
    for (const chunk of chunks) {
      if (isWritten) slabs.unpin(chunk)
      else slabs.discard(chunk)
    }
  }

  /** Removes the front of a run up to an offset. Returns the number of events in it. */
  #removeFront(run: Run, cut: number): number {
    if (cut === run.end) {
      this.#unchain(run)
      this.#budget.release(run.bytes)
      return run.events
    }
    const events = countFrames({ bytes: run.bytes, start: run.start, end: cut })
    run.start = cut
    run.events -= events
    return events
  }

  /** Removes and returns copies of the queue events that are wanted. */
  removeAssignments(isWanted: (frame: Frame) => boolean): Frame[] {
    const removed: Frame[] = []
    const runs = [...this.#runs()]
    const trailingGap = this.#trailingGap
    const trailingGapCuts = this.#trailingGapCuts
    const cuts = this.#cuts
    this.#first = this.#last = this.#open = undefined
    this.#latest.clear()
    this.#bytes = this.#events = this.#trailingGap = 0
    this.#countCopies(-this.#copies)
    for (const run of runs) {
      this.#addTrailingGap(run.gap, run.gapCuts ?? run.cuts)
      if (this.#trailingGap > 0 || this.#cuts !== run.cuts) this.#open = undefined
      this.#cuts = run.cuts
      for (const frame of framesOf(run)) {
        if (isAssignment(frame.bytes, frame.start) && isWanted(frame)) removed.push(copyOf(frame))
        else if (run.key === undefined) this.push(frame, false)
        else this.pushLatest(run.key, frame)
      }
      this.#budget.release(run.bytes)
    }
    this.#addTrailingGap(trailingGap, trailingGapCuts)
    this.#open = undefined
    this.#cuts = cuts
    return removed
  }

  /** Removes everything, counted as neither sent nor dropped. */
  clear(): void {
    for (const run of [...this.#runs()]) this.#budget.release(run.bytes)
    this.#first = this.#last = this.#open = undefined
    this.#latest.clear()
    this.#bytes = this.#events = this.#unreported = this.#trailingGap = 0
    this.#countCopies(-this.#copies)
  }

  #append(run: Run): void {
    this.#budget.retain(run.bytes)
    run.gap = this.#trailingGap
    if (run.gap > 0) run.gapCuts = this.#trailingGapCuts
    this.#trailingGap = 0
    run.previous = this.#last
    this.#open = undefined
    if (this.#last) this.#last.next = run
    else this.#first = run
    this.#last = run
  }

  /** Drops the first event of a run. */
  #dropFirst(run: Run): void {
    const { bytes, start } = run
    const end = frameEnd(bytes, start)
    this.#count({ bytes, start, end })
    run.gap++
    run.events--
    this.#bytes -= end - start
    this.#events--
    run.start = end
    if (end < run.end) return
    this.#unchain(run)
    this.#budget.release(bytes)
  }

  #unchain(run: Run): void {
    if (run.isCopy) this.#countCopies(-1)
    if (run.previous) run.previous.next = run.next
    else this.#first = run.next
    if (run.next) run.next.previous = run.previous
    else this.#last = run.previous
    if (run.key !== undefined) this.#latest.delete(run.key)
    if (run === this.#open) this.#open = undefined
    if (run.gap > 0) this.#passGap(run)
  }

  /** The gap before a run that is removed is now before the next run, and stays ahead of the cuts between the two. */
  #passGap(run: Run): void {
    const cuts = run.gapCuts ?? run.cuts
    const { next } = run
    if (!next) return this.#addTrailingGap(run.gap, cuts)
    next.gap += run.gap
    next.gapCuts = cuts
  }

  #addTrailingGap(count: number, cuts: number): void {
    if (count === 0) return
    this.#trailingGapCuts = this.#trailingGap === 0 ? cuts : Math.min(this.#trailingGapCuts, cuts)
    this.#trailingGap += count
  }

  #count(frame: Frame): void {
    const { bytes, start } = frame
    this.#unreported++
    this.#dropped++
    if (isAssignment(bytes, start)) this.#droppedAssignments++
    this.#onDropped(frame)
  }

  #reportGap(count: number, after: number, chunks: Buffer[]): Gap {
    this.#unreported -= count
    const { bytes, start, end } = encodeMessage({ kind: 'gap', count })
    chunks.push(bytes.subarray(start, end))
    return { after, count }
  }

  /** Copies a sparse run: many of them would otherwise keep a whole buffer alive each. */
  #compact(run: Run): void {
    const { bytes, start, end } = run
    if (end - start > bytes.length * SPARSE) return
    run.bytes = Buffer.from(bytes.subarray(start, end))
    if (!run.isCopy) this.#countCopies(1)
    run.isCopy = true
    run.start = 0
    run.end = end - start
    this.#budget.retain(run.bytes)
    this.#budget.release(bytes)
  }

  #countCopies(change: number): void {
    this.#copies += change
    this.#budget.charge(change * COPY_BYTES)
  }

  *#runs(): Generator<Run> {
    for (let run = this.#first; run; run = run.next) yield run
  }
}

/** A frame outside of any backlog pins no slab, so it needs bytes of its own. */
function copyOf({ bytes, start, end }: Frame): Frame {
  return { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start }
}
