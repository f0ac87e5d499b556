import type { Receipt } from '../channel/receive-window'
import type { Audience } from '../model/audience'
import { AbortError, describe, InvalidArgument } from '../model/errors'
import type { Event } from '../model/event'
import { Fifo } from './fifo'
import { StreamBuffer } from './stream-buffer'
import type { Subscription } from './subscription'

export interface StreamOptions {
  /** Ends the stream after so many events. Default: it goes on until the endpoint closes. */
  readonly limit?: number
  /** Only events from these: a name, an array of names, or `{ group }`. The others are not even sent. */
  readonly from?: Audience | undefined
  /** Ends the stream: what waits for the next event gets an `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

/** Takes an event to keep it until it is read. A method, for the reason that `Handler` is one. */
type Keep<Payload> = { keep(event: Event<Payload>, receipt: Receipt): void }['keep']

/** Events of one type, for `for await`. Subscribed from the call of `stream` on; `break` unsubscribes. */
export class EventStream<Payload> implements AsyncIterableIterator<Event<Payload>, undefined>, AsyncDisposable {
  readonly #subscription: Subscription
  readonly #limit: number
  readonly #signal: AbortSignal | undefined
  readonly #inbox = new StreamBuffer<Event<Payload>>()
  /** Of what waits to be read. */
  readonly #receipts = new Fifo<Receipt>()
  #received = 0

  /**
   * @param subscribe called once, with what to call for each event and at the end of the subscription
   * @throws InvalidArgument
   */
  constructor(
    { limit = Number.POSITIVE_INFINITY, signal }: StreamOptions,
    subscribe: (keep: Keep<Payload>, ended: () => void) => Subscription,
  ) {
    if (limit !== Number.POSITIVE_INFINITY && !(Number.isInteger(limit) && limit > 0)) {
      throw new InvalidArgument(`limit: expected a whole number from 1 up, got ${describe(limit)}`)
    }
    this.#limit = limit
    this.#signal = signal
    this.#subscription = subscribe(
      (event, receipt) => this.#receive(event, receipt),
      () => this.finish(),
    )
    if (signal?.aborted) this.#abort()
    else signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Resolves when every peer that is connected now knows of the stream: nothing that they broadcast later is missed. */
  get ready(): Promise<void> {
    return this.#subscription.ready
  }

  /** @throws AbortError, once, after the signal's abort */
  next(): Promise<IteratorResult<Event<Payload>, undefined>> {
    if (this.#inbox.size > 0) this.#receipts.shift()?.done()
    return this.#inbox.next()
  }

  /** Unsubscribes, and drops what has not been read. */
  return(): Promise<IteratorResult<Event<Payload>, undefined>> {
    this.#inbox.discard()
    this.#settleAll()
    this.finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Unsubscribes; what has arrived can still be read. */
  finish(): void {
    this.#inbox.end()
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#subscription.unsubscribe()
  }

  #receive(event: Event<Payload>, receipt: Receipt): void {
    this.#received++
    if (this.#inbox.push(event)) this.#receipts.push(receipt)
    else receipt.done()
    if (this.#received >= this.#limit) this.finish()
  }

  readonly #abort = (): void => {
    const cause = this.#signal?.reason
    this.#inbox.fail(new AbortError(`stream of ${this.#subscription.type}: aborted`, { cause }))
    this.#settleAll()
    this.finish()
  }

  #settleAll(): void {
    for (let receipt = this.#receipts.shift(); receipt; receipt = this.#receipts.shift()) receipt.done()
  }
}
