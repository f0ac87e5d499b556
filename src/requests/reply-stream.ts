import { StreamBuffer } from '../events/stream-buffer'
import type { LahjaError } from '../model/errors'

/** One responder's reply to `requestAll`. */
export type Reply<Response> =
  | { readonly origin: string; readonly payload: Response; readonly error?: undefined }
  | {
      readonly origin: string
      readonly payload?: undefined
      /** `RemoteError`, `RequestTimeout`, `RemoteDisconnected`, `UnexpectedResponse` or another error of `request`. */
      readonly error: LahjaError
    }

/** Async iterator over the replies to `requestAll`, as they arrive. `break` cancels the remaining requests. */
export class ReplyStream<Response> implements AsyncIterableIterator<Reply<Response>>, AsyncDisposable {
  readonly #buffer: StreamBuffer<Reply<Response>>
  readonly #cancel: () => void

  /** @internal */
  constructor(buffer: StreamBuffer<Reply<Response>>, cancel: () => void) {
    this.#buffer = buffer
    this.#cancel = cancel
  }

  /** @internal One whose first step throws, when the pause is over. */
  static failed(error: LahjaError, pause: Promise<void>): ReplyStream<unknown> {
    const buffer = new StreamBuffer<Reply<unknown>>()
    buffer.fail(error, pause)
    return new ReplyStream(buffer, () => {})
  }

  /** @throws NoSubscribers, AbortError, EndpointClosed; each once */
  next(): Promise<IteratorResult<Reply<Response>, undefined>> {
    return this.#buffer.next()
  }

  /** Cancels the requests that have no reply yet. */
  return(): Promise<IteratorResult<Reply<Response>, undefined>> {
    this.#buffer.discard()
    this.#cancel()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
