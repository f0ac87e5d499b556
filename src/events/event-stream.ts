import type { inspect } from 'node:util'
import type { Receipt } from '../channel/receive-window'
import type { Audience } from '../model/audience'
import type { OptionNames } from '../model/call-options'
import { AbortError, type LahjaError } from '../model/errors'
import type { Event } from '../model/event'
import { offAbort, onAbort } from '../platform/abort-listeners'
import { Fifo } from '../platform/fifo'
import type { EventBuffer, Unhandled } from './consumer'
import { StreamBuffer } from './stream-buffer'
import { checkCount } from './subscribe-options'
import { Subscription } from './subscription'
import type { TurnBudget } from './turn-budget'

export interface StreamOptions {
  /** Number of events after which the stream ends, at least 1. Default: no limit. */
  readonly limit?: number | undefined
  /**
   * Only events from these endpoints: a name, an array of names, or `{ group }`, at most 2,048 bytes. Others are not sent
   * at all. Default: every endpoint.
   */
  readonly from?: Audience | undefined
  /** Ends the stream: reading throws `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

export const STREAM_OPTIONS: OptionNames<StreamOptions> = { limit: true, from: true, signal: true }

/** Async iterator over the events of a type or pattern. Subscribed from its creation on; `break` unsubscribes. */
export class EventStream<Payload> implements AsyncIterableIterator<Event<Payload>>, AsyncDisposable {
  readonly #subscription: Subscription
  readonly #limit: number
  readonly #turn: TurnBudget
  readonly #signal: AbortSignal | undefined
  readonly #buffer = new StreamBuffer<Event<Payload>>()
  readonly #intake: EventBuffer<Payload>
  /** The receipts of the buffered events, in order. */
  readonly #receipts = new Fifo<Receipt>()
  #received = 0
  /** Reads left to the next turn; no later read may overtake them. */
  #delayed = 0

  /**
   * @internal
   * @param subscribe called once; it gives each event to the buffer, and calls `ended` at the end of the subscription
   * @throws InvalidArgument
   */
  constructor(
    { limit = Number.POSITIVE_INFINITY, signal }: StreamOptions,
    turn: TurnBudget,
    subscribe: (buffer: EventBuffer<Payload>, ended: () => void) => Subscription,
  ) {
    checkCount('limit', limit)
    this.#limit = limit
    this.#turn = turn
    this.#signal = signal
    const buffer = this.#buffer
    this.#intake = {
      get size() {
        return buffer.size
      },
      keep: (event, receipt) => this.#receive(event, receipt),
      unread: () => this.#unread(),
      emptied: () => {},
    }
    this.#subscription = subscribe(this.#intake, () => this.#finish())
    try {
      if (signal?.aborted) this.#fail(signal, turn.spendCall())
      else if (signal) onAbort(signal, this.#abort)
    } catch (error) {
      this.#finish()
      throw error
    }
  }

  /** @internal One that subscribes to nothing, and whose first read throws when the pause is over. */
  static failed<Payload>(
    type: string,
    error: LahjaError,
    turn: TurnBudget,
    pause: Promise<void>,
  ): EventStream<Payload> {
    const announcer = { announce() {}, acknowledged: () => Promise.reject(error) }
    const nothing = { interest: { type }, announcer, signal: undefined, pending: () => 0, ended() {} }
    const stream = new EventStream<Payload>({}, turn, () => new Subscription(nothing))
    stream.#buffer.fail(error, pause)
    stream.#finish()
    return stream
  }

  /** Like `Subscription.ready`. */
  get ready(): Promise<readonly string[]> {
    return this.#subscription.ready
  }

  /** @throws AbortError once, when the signal has aborted */
  next(): Promise<IteratorResult<Event<Payload>, undefined>> {
    const isLater = this.#buffer.size > 0 && (this.#delayed > 0 || this.#turn.isHandlingTimeOver())
    return isLater ? this.#readLater() : this.#read()
  }

  async #readLater(): Promise<IteratorResult<Event<Payload>, undefined>> {
    this.#delayed++
    await this.#turn.next()
    this.#delayed--
    return this.#read()
  }

  #read(): Promise<IteratorResult<Event<Payload>, undefined>> {
    if (this.#buffer.size === 0) return this.#buffer.next()
    this.#receipts.shift()?.done()
    const next = this.#buffer.next()
    if (this.#buffer.size === 0) this.#intake.emptied()
    return next
  }

  /** Unsubscribes, and drops unread events. */
  return(): Promise<IteratorResult<Event<Payload>, undefined>> {
    this.#buffer.discard()
    this.#settleAll()
    this.#finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](_depth: number, options: object, show: typeof inspect): unknown {
    if (!(#buffer in this)) return this // A proxy, or an object that inherits from this one.
    const { type } = this.#subscription
    return `EventStream ${show({ type, state: this.#buffer.isOpen ? 'open' : 'ended', buffered: this.#buffer.size }, options)}`
  }

  #receive(event: Event<Payload>, receipt: Receipt): void {
    this.#received++
    if (this.#buffer.push(event)) this.#receipts.push(receipt)
    else receipt.done()
    if (this.#received >= this.#limit) this.#finish()
  }

  *#unread(): Generator<Unhandled> {
    const receipts = this.#receipts[Symbol.iterator]()
    for (const { type } of this.#buffer.items) {
      const { value: receipt } = receipts.next()
      if (receipt) yield { type, receipt }
    }
  }

  /** Unsubscribes, and ends the stream once the buffered events are read. */
  #finish(): void {
    this.#buffer.end()
    if (this.#signal) offAbort(this.#signal, this.#abort)
    this.#subscription.unsubscribe()
  }

  readonly #abort = (): void => {
    if (this.#signal) this.#fail(this.#signal)
  }

  #fail({ reason }: AbortSignal, pause?: Promise<void>): void {
    this.#buffer.fail(new AbortError(`stream of ${this.#subscription.type}: aborted`, { cause: reason }), pause)
    this.#settleAll()
    this.#finish()
  }

  #settleAll(): void {
    for (let receipt = this.#receipts.shift(); receipt; receipt = this.#receipts.shift()) receipt.done()
    this.#intake.emptied()
  }
}
