import { AbortError, describe, InvalidArgument } from './errors'
import type { Event, Handler } from './event'
import { Fifo } from './fifo'
import type { Subscription } from './subscription'

export interface StreamOptions {
  /** Ends the stream after so many events. Default: it goes on until the endpoint closes. */
  readonly limit?: number
  /** Ends the stream: what waits for the next event gets an `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

interface Reader<Payload> {
  readonly resolve: (result: IteratorResult<Event<Payload>, undefined>) => void
  readonly reject: (error: AbortError) => void
}

/** Events of one type, for `for await`. Subscribed from the call of `stream` on; `break` unsubscribes. */
export class EventStream<Payload> implements AsyncIterableIterator<Event<Payload>, undefined>, AsyncDisposable {
  readonly #subscription: Subscription
  readonly #limit: number
  readonly #signal: AbortSignal | undefined
  readonly #waiting = new Fifo<Event<Payload>>()
  readonly #readers: Reader<Payload>[] = []
  #received = 0
  #end: 'open' | 'ended' | 'aborted' = 'open'

  /**
   * @param subscribe called once, with what to call for each event and at the end of the subscription
   * @throws InvalidArgument
   */
  constructor(
    { limit = Number.POSITIVE_INFINITY, signal }: StreamOptions,
    subscribe: (receive: Handler<Payload>, ended: () => void) => Subscription,
  ) {
    if (limit !== Number.POSITIVE_INFINITY && !(Number.isInteger(limit) && limit > 0)) {
      throw new InvalidArgument(`limit: expected a whole number from 1 up, got ${describe(limit)}`)
    }
    this.#limit = limit
    this.#signal = signal
    this.#subscription = subscribe(
      (event) => this.#receive(event),
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
    const event = this.#waiting.shift()
    if (event) return Promise.resolve({ done: false, value: event })
    if (this.#end === 'aborted') {
      this.#end = 'ended'
      return Promise.reject(this.#abortError())
    }
    if (this.#end === 'ended') return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** Unsubscribes, and drops what has not been read. */
  return(): Promise<IteratorResult<Event<Payload>, undefined>> {
    this.#waiting.clear()
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
    if (this.#end !== 'open') return
    this.#end = 'ended'
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#subscription.unsubscribe()
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined })
  }

  #receive(event: Event<Payload>): void {
    this.#received++
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ done: false, value: event })
    else this.#waiting.push(event)
    if (this.#received >= this.#limit) this.finish()
  }

  readonly #abort = (): void => {
    this.#waiting.clear()
    const readers = this.#readers.splice(0)
    this.finish()
    if (readers.length === 0) this.#end = 'aborted'
    for (const { reject } of readers) reject(this.#abortError())
  }

  #abortError(): AbortError {
    return new AbortError(`stream of ${this.#subscription.type}: aborted`, { cause: this.#signal?.reason })
  }
}
