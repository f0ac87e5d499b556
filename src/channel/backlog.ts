import { encodeMessage, isAssignment } from '../wire/codec'
import { countFrames, cutAfter, type Frame, frameEnd, framesOf, type Run } from '../wire/frame'
import type { MemoryBudget } from './memory-budget'
import type { Gap, Spending } from './send-window'

/** A piece of a backlog, taken to be sent. */
export interface Slice extends Spending {
  readonly chunks: readonly Buffer[]
}

/** A slice without anything. */
export const EMPTY_SLICE: Slice = { chunks: [], bytes: 0, events: 0, gaps: [] }

/** A buffer of which less than one part in so many is used is not worth keeping. */
const LITTLE_USED = 4

/** The events that wait for one peer, in order, and how many had to be dropped. */
export class Backlog {
  readonly #budget: MemoryBudget
  #first: Run | undefined
  #last: Run | undefined
  /** The runs of events that a newer one of the same key replaces. */
  readonly #newest = new Map<string, Run>()
  #bytes = 0
  #events = 0
  /** Dropped behind the last event that waits. */
  #gapAtEnd = 0
  #dropped = 0
  #droppedInAll = 0
  #droppedAssignments = 0

  constructor(budget: MemoryBudget) {
    this.#budget = budget
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Events that wait. */
  get events(): number {
    return this.#events
  }

  get isEmpty(): boolean {
    return this.#events === 0 && this.#dropped === 0
  }

  /** Events dropped of which the peer has not been told. */
  get unreported(): number {
    return this.#dropped
  }

  /** Events dropped since the beginning. */
  get dropped(): number {
    return this.#droppedInAll
  }

  /** Those among them that were for members of queues. */
  get droppedAssignments(): number {
    return this.#droppedAssignments
  }

  /** Adds an event that lies right behind the last one, in the same buffer. Returns whether it does. */
  extend({ bytes, start, end }: Frame): boolean {
    const last = this.#last
    if (last?.bytes !== bytes || last.end !== start || last.key !== undefined || this.#gapAtEnd > 0) return false
    last.end = end
    last.events++
    this.#bytes += end - start
    this.#events++
    return true
  }

  /**
   * Adds an event at the end.
   *
   * @param isBehind whether it will wait for long, so that what keeps it has to be small
   */
  push(frame: Frame, isBehind: boolean): void {
    if (this.extend(frame)) return
    const { bytes, start, end } = frame
    if (this.#last && isBehind) this.#copyLittleUsed(this.#last)
    this.#append({ bytes, start, end, events: 1, gap: 0 })
    this.#bytes += end - start
    this.#events++
  }

  /** Adds an event at the end; the one of the same key that waits is dropped for it. */
  pushLatest(key: string, { bytes, start, end }: Frame): void {
    this.dropKey(key)
    const run = { bytes, start, end, events: 1, key, gap: 0 }
    this.#append(run)
    this.#copyLittleUsed(run)
    this.#newest.set(key, run)
    this.#bytes += end - start
    this.#events++
  }

  /** Drops the event of that key that waits, if there is one. */
  dropKey(key: string): void {
    const older = this.#newest.get(key)
    if (older) this.#drop(older)
  }

  /** Drops an event that has just come, instead of adding it. */
  dropNewest(frame: Frame): void {
    this.#gapAtEnd++
    this.#count(frame)
  }

  /** Drops the event that has waited longest. Returns whether there was one. */
  dropOldest(): boolean {
    const run = this.#first
    if (!run) return false
    this.#drop(run)
    return true
  }

  /**
   * Takes events from the front, and among them the gaps where others have been dropped: whole runs until so many bytes
   * are reached, but of the events that are over the window only the first. Their slabs stay pinned until `done`.
   */
  take(bytes: number, window: number): Slice {
    const chunks: Buffer[] = []
    const gaps: Gap[] = []
    let taken = 0
    let events = 0
    while (this.#first && taken < bytes && taken < window) {
      const run = this.#first
      const cut = run.end - run.start > window - taken ? cutAfter(run, window - taken) : run.end
      if (run.gap > 0) gaps.push(this.#announce(run.gap, events, chunks))
      run.gap = 0
      this.#budget.slabs.pin(run.bytes)
      chunks.push(run.bytes.subarray(run.start, cut))
      taken += cut - run.start
      events += this.#takeOff(run, cut)
    }
    if (!this.#first && this.#gapAtEnd > 0) {
      gaps.push(this.#announce(this.#gapAtEnd, events, chunks))
      this.#gapAtEnd = 0
    }
    this.#bytes -= taken
    this.#events -= events
    return { chunks, bytes: taken, events, gaps }
  }

  /** What was taken has been sent; or it has not, and nobody will say when it is read for the last time. */
  done({ chunks }: Slice, isSent: boolean): void {
    const { slabs } = this.#budget
    for (const chunk of chunks) {
      if (isSent) slabs.unpin(chunk)
      else slabs.discard(chunk)
    }
  }

  /** Takes a run away up to there. Returns how many events that were. */
  #takeOff(run: Run, cut: number): number {
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

  /** Takes out the events for members of queues that are wanted elsewhere. */
  removeAssignments(isWanted: (frame: Frame) => boolean): Frame[] {
    const recalled: Frame[] = []
    const runs = [...this.#runs()]
    const gapAtEnd = this.#gapAtEnd
    this.#first = this.#last = undefined
    this.#newest.clear()
    this.#bytes = this.#events = this.#gapAtEnd = 0
    for (const run of runs) {
      this.#gapAtEnd += run.gap
      for (const frame of framesOf(run)) {
        if (isAssignment(frame.bytes, frame.start) && isWanted(frame)) recalled.push(copyOf(frame))
        else if (run.key === undefined) this.push(frame, false)
        else this.pushLatest(run.key, frame)
      }
      this.#budget.release(run.bytes)
    }
    this.#gapAtEnd += gapAtEnd
    return recalled
  }

  /** Lets everything go, uncounted. */
  clear(): void {
    for (const run of [...this.#runs()]) this.#budget.release(run.bytes)
    this.#first = this.#last = undefined
    this.#newest.clear()
    this.#bytes = this.#events = this.#dropped = this.#gapAtEnd = 0
  }

  #append(run: Run): void {
    this.#budget.retain(run.bytes)
    run.gap = this.#gapAtEnd
    this.#gapAtEnd = 0
    run.previous = this.#last
    if (this.#last) this.#last.next = run
    else this.#first = run
    this.#last = run
  }

  /** Drops the first event of a run. */
  #drop(run: Run): void {
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
    if (run.previous) run.previous.next = run.next
    else this.#first = run.next
    if (run.next) run.next.previous = run.previous
    else this.#last = run.previous
    if (run.key !== undefined) this.#newest.delete(run.key)
    if (run.next) run.next.gap += run.gap
    else this.#gapAtEnd += run.gap
  }

  #count({ bytes, start }: Frame): void {
    this.#dropped++
    this.#droppedInAll++
    if (isAssignment(bytes, start)) this.#droppedAssignments++
  }

  #announce(count: number, behind: number, chunks: Buffer[]): Gap {
    this.#dropped -= count
    const { bytes, start, end } = encodeMessage({ kind: 'gap', count })
    chunks.push(bytes.subarray(start, end))
    return { behind, count }
  }

  /** A backlog of small runs would keep a whole buffer alive for each: a copy of what is used takes its place. */
  #copyLittleUsed(run: Run): void {
    const { bytes, start, end } = run
    if ((end - start) * LITTLE_USED > bytes.length) return
    run.bytes = Buffer.from(bytes.subarray(start, end))
    run.start = 0
    run.end = end - start
    this.#budget.retain(run.bytes)
    this.#budget.release(bytes)
  }

  *#runs(): Generator<Run> {
    for (let run = this.#first; run; run = run.next) yield run
  }
}

/** What is taken out of a backlog doesn't pin its slab. */
function copyOf({ bytes, start, end }: Frame): Frame {
  return { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start }
}
