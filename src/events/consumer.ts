import type { Receipt } from '../channel/receive-window'
import { handlerError, InvalidPayload, type LahjaError } from '../model/errors'
import { type Event, type Handler, isThenable } from '../model/event'
import type { Interest } from '../model/interest'
import { type StandardSchema, validate } from '../model/schema'
import type { Clock } from '../platform/clock'
import { Fifo } from '../platform/fifo'
import type { EventCount, EventCounts } from './event-count'
import type { TurnBudget } from './turn-budget'

/** Keeps events until they are read. */
export interface EventBuffer<Payload = unknown> {
  /** Settles the receipt when the event is read. */
  keep(event: Event<Payload>, receipt: Receipt): void
  /** Number of unread events. */
  readonly size: number
  unread(): Iterable<Unhandled>
  /** Called whenever the last unread event has been read or dropped. */
  emptied: () => void
}

/** An event that has arrived and is not handled. Consumers of the same event have the same receipt. */
export interface Unhandled {
  readonly type: string
  readonly receipt: Receipt
}

/** How events are consumed. */
export type Consumption =
  /** By calls of a handler, `concurrency` at most at a time. */
  | {
      readonly kind: 'handler'
      readonly handle: Handler<unknown>
      readonly concurrency: number
      /** For a member of a queue: whether it takes as many events ahead as it handles in some milliseconds. Default false */
      readonly isAdaptive?: boolean
    }
  /** By reading them from a buffer. */
  | { readonly kind: 'buffer'; readonly buffer: EventBuffer }

/** Gives receipts for events that are still unhandled when `deliver` returns. */
interface ReceiptSource {
  hold(): Receipt
}

interface Task {
  readonly event: Event
  readonly receipt: Receipt
}

export interface ConsumerContext {
  readonly interest: Interest
  readonly consumption: Consumption
  /** Validates payloads before they are handed over. */
  readonly schema: StandardSchema | undefined
  readonly report: (error: LahjaError) => void
  /** Called when no event is running or waiting any more. */
  readonly idle: () => void
  /** How often the endpoint's `close` has been called. */
  readonly closeCalls: () => number
  readonly turn: TurnBudget
  readonly clock: Pick<Clock, 'now'>
  readonly counts: EventCounts
}

/** What one subscription has done, and is doing. The numbers of events that are done only grow. */
export interface SubscriptionStats {
  /** Its type or pattern. */
  readonly type: string
  readonly queue: string | undefined
  /** Events that wait for its handler or its reader. */
  readonly waiting: number
  /** Events that its handler is handling. */
  readonly running: number
  /** Events that its handler has handled, or that it has kept for its reader. */
  readonly handled: number
  /** Events that its handler has failed on, or whose payload did not fit its schema. */
  readonly failed: number
  /**
   * Milliseconds that its handler has taken. Of short calls, the time until they return is measured for one of up to 256, and
   * taken for all of these.
   */
  readonly handlerMs: number
}

/**
 * To look at the time twice takes as long as a short handler. So a call is measured for those before it since the last one: as
 * many as would take so many milliseconds if they took as long, and at most so many.
 */
const MEASURED_MS = 0.1
const MAX_UNMEASURED = 255

/** Consumes the events of one subscription, in order, as fast as its handler or reader takes them. */
export class Consumer {
  readonly interest: Interest
  readonly #context: ConsumerContext
  readonly #concurrency: number
  readonly #waiting = new Fifo<Task>()
  /** Events whose handler has returned a promise. */
  readonly #pending = new Set<Task>()
  /** Handlers that are being called, or whose promise is pending. */
  #running = 0
  #state: 'open' | 'closed' = 'open'
  /** Whether waiting events are left to the next turn. */
  #isPaused = false
  #handled = 0
  /** Of the type of the last event, which most events have. */
  #count: EventCount | undefined
  #failed = 0
  #handlerMs = 0
  /** How many calls come before the next one that is measured, and for how many that one stands. */
  #untimed = 0
  #timedFor = 1

  constructor(context: ConsumerContext) {
    const { interest, consumption } = context
    this.interest = interest
    this.#context = context
    this.#concurrency = consumption.kind === 'handler' ? consumption.concurrency : Number.POSITIVE_INFINITY
    if (consumption.kind === 'buffer') consumption.buffer.emptied = () => this.#checkIdle()
  }

  /** Events running and waiting. */
  get load(): number {
    const { consumption } = this.#context
    return consumption.kind === 'buffer' ? consumption.buffer.size : this.#running + this.#waiting.length
  }

  get stats(): SubscriptionStats {
    const { type, queue } = this.interest
    const running = this.#running
    const [handled, failed, handlerMs] = [this.#handled, this.#failed, this.#handlerMs]
    return { type, queue, waiting: this.load - running, running, handled, failed, handlerMs }
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** The events that have arrived and are not handled. */
  *unhandled(): Generator<Unhandled> {
    const { consumption } = this.#context
    if (consumption.kind === 'buffer') return yield* consumption.buffer.unread()
    for (const tasks of [this.#pending, this.#waiting]) {
      for (const { event, receipt } of tasks) yield { type: event.type, receipt }
    }
  }

  /** Handles an event now, or once fewer than `concurrency` are running. */
  deliver(event: Event, source: ReceiptSource): void {
    if (this.#state === 'closed') return
    if (this.#running > 0 ? this.#mustWait || this.#isTimeOver : this.#isPaused)
      return void this.#waiting.push({ event, receipt: source.hold() })
    this.#run(event, undefined, source)
    if (this.#waiting.length > 0) this.#runNext()
  }

  /** Like `deliver`, for an event that has a receipt already. */
  take(event: Event, receipt: Receipt): void {
    if (this.#state === 'closed') return receipt.release()
    if (this.#mustWait || this.#isTimeOver) return void this.#waiting.push({ event, receipt })
    this.#run(event, receipt)
    if (this.#waiting.length > 0) this.#runNext()
  }

  /** Gives back the events that wait, or those of them that are wanted. They may be taken again. */
  returnWaiting(isWanted: (receipt: Receipt) => boolean = () => true): void {
    const tasks = [...this.#waiting]
    this.#waiting.clear()
    const returned: Receipt[] = []
    for (const task of tasks) {
      if (isWanted(task.receipt)) returned.push(task.receipt)
      else this.#waiting.push(task)
    }
    for (const receipt of returned) receipt.release()
  }

  /** Stops: waiting events are given back, running ones finish. */
  close(): void {
    this.#state = 'closed'
    for (let task = this.#waiting.shift(); task; task = this.#waiting.shift()) task.receipt.release()
    this.#checkIdle()
  }

  get #mustWait(): boolean {
    return this.#running >= this.#concurrency || this.#isPaused
  }

  /** Whether handlers that still run have had their time of this turn: then what comes next begins in the next one. */
  get #isTimeOver(): boolean {
    if (this.#running === 0 || !this.#context.turn.isHandlingTimeOver()) return false
    this.#pause()
    return true
  }

  /** @param source gives the receipt if there is none yet and one is needed */
  #run(event: Event, receipt: Receipt | undefined, source?: ReceiptSource): void {
    const { consumption } = this.#context
    const validated = this.#validate(event)
    if (!validated) {
      this.#countEnd(event, true)
      return receipt?.done(true)
    }
    // By its schema.
    if (!this.isOpen) return receipt?.release()
    if (consumption.kind === 'buffer') {
      const kept = receipt ?? source?.hold()
      if (kept) consumption.buffer.keep(validated, kept)
      this.#countEnd(event, false)
      return
    }
    const count = this.#count?.type === event.type ? this.#count : this.#countOf(event)
    // Counted before the call: the handler may unsubscribe another consumer, whose events are then taken here.
    this.#running++
    const callsBefore = this.#context.closeCalls()
    try {
      const isTimed = this.#untimed-- === 0
      const { handle } = consumption
      const result = isTimed ? this.#timed(handle, validated) : handle(validated)
      // A look that costs the many handlers that return nothing no call.
      if (result !== undefined && isThenable(result))
        return this.#hold(result, event, receipt ?? source?.hold(), callsBefore)
    } catch (thrown) {
      this.#reportFailure(event, thrown)
      this.#countEnd(event, true)
      return this.#end(receipt, true)
    }
    // As in `#countEnd`, without a call.
    this.#handled++
    count.handled++
    this.#end(receipt)
  }

  #timed(handle: Handler<unknown>, event: Event): unknown {
    const { clock } = this.#context
    const began = clock.now()
    try {
      return handle(event)
    } finally {
      const took = clock.now() - began
      this.#handlerMs += took * this.#timedFor
      this.#untimed = Math.min(Math.floor(MEASURED_MS / took), MAX_UNMEASURED)
      this.#timedFor = this.#untimed + 1
    }
  }

  #countOf({ type }: Event): EventCount {
    this.#count = this.#context.counts.of(type)
    return this.#count
  }

  #countEnd(event: Event, hasFailed: boolean): void {
    const count = this.#countOf(event)
    if (hasFailed) {
      this.#failed++
      count.failed++
    } else {
      this.#handled++
      count.handled++
    }
  }

  /** @param callsBefore of `close`, before the handler was called */
  #hold(result: PromiseLike<unknown>, event: Event, receipt: Receipt | undefined, callsBefore: number): void {
    // A handler that has called `close` may wait for it, so it can't be waited for.
    // Its place goes to the next event, which would otherwise never be handled.
    if (receipt && this.#context.closeCalls() === callsBefore) return void this.#await(result, event, receipt)
    void this.#await(result, event)
    this.#end(receipt)
  }

  #end(receipt: Receipt | undefined, hasFailed = false): void {
    this.#running--
    receipt?.done(hasFailed)
    // The handler has unsubscribed itself.
    if (this.#state === 'closed') this.#checkIdle()
  }

  /** @param receipt of an event that keeps its place until the promise has settled */
  async #await(result: PromiseLike<unknown>, event: Event, receipt?: Receipt): Promise<void> {
    const task = receipt && { event, receipt }
    if (task) this.#pending.add(task)
    let hasFailed = false
    const began = this.#context.clock.now()
    try {
      // Doesn't call a `then` that a promise has of its own: it could call back twice, or throw.
      await result
    } catch (thrown) {
      hasFailed = true
      this.#reportFailure(event, thrown)
    }
    this.#handlerMs += this.#context.clock.now() - began
    this.#countEnd(event, hasFailed)
    if (!task) return
    this.#running--
    this.#pending.delete(task)
    task.receipt.done(hasFailed)
    this.#runNext()
  }

  #runNext(): void {
    const { turn } = this.#context
    while (this.#state === 'open' && !this.#mustWait && this.#waiting.length > 0) {
      if (turn.isHandlingTimeOver()) return this.#pause()
      const task = this.#waiting.shift()
      if (task) this.#run(task.event, task.receipt)
    }
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.load === 0) this.#context.idle()
  }

  #pause(): void {
    this.#isPaused = true
    this.#context.turn.handleLater(() => {
      this.#isPaused = false
      this.#runNext()
    })
  }

  /** The event with its payload as the schema returns it; reports and returns undefined if the payload doesn't fit. */
  #validate(event: Event): Event | undefined {
    const { schema, report } = this.#context
    if (!schema) return event
    try {
      return { ...event, payload: validate(schema, event.payload, `event ${event.type} from ${event.origin}`) }
    } catch (error) {
      if (!(error instanceof InvalidPayload)) throw error
      error.event = event
      report(error)
      return undefined
    }
  }

  #reportFailure(event: Event, thrown: unknown): void {
    const what = `a handler of ${this.interest.type} failed on an event from ${event.origin}`
    this.#context.report(handlerError(what, thrown, event))
  }
}
