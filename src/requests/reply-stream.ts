import type { StreamBuffer } from '../events/stream-buffer'
import type { LahjaError } from '../model/errors'

/** The answer of one responder to `requestAll`. */
export type Reply<Response> =
  | { readonly origin: string; readonly payload: Response; readonly error?: undefined }
  /** The error that `request` would have rejected with: `RemoteError`, `RequestTimeout`, `RemoteDisconnected`, `UnexpectedResponse`. */
  | { readonly origin: string; readonly payload?: undefined; readonly error: LahjaError }

/** The replies of `requestAll`, as they arrive; `break` gives up the rest. */
export class ReplyStream<Response> implements AsyncIterableIterator<Reply<Response>, undefined>, AsyncDisposable {
  readonly #buffer: StreamBuffer<Reply<Response>>
  readonly #giveUp: () => void

  /** @internal */
  constructor(buffer: StreamBuffer<Reply<Response>>, giveUp: () => void) {
    this.#buffer = buffer
    this.#giveUp = giveUp
  }

  /** @throws NoSubscribers, AbortError, EndpointClosed; each once */
  next(): Promise<IteratorResult<Reply<Response>, undefined>> {
    return this.#buffer.next()
  }

  /** Gives up: responders that have not replied are told. */
  return(): Promise<IteratorResult<Reply<Response>, undefined>> {
    this.#buffer.discard()
    this.#giveUp()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
