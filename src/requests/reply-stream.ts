import type { StreamBuffer } from '../events/stream-buffer'
import type { LahjaError } from '../model/errors'

/** What one responder made of a request to all of them. */
export type Reply<Response> =
  | { readonly origin: string; readonly payload: Response; readonly error?: undefined }
  /** It failed, as `request` would have: `RemoteError`, `RequestTimeout`, `RemoteDisconnected`, `UnexpectedResponse`. */
  | { readonly origin: string; readonly payload?: undefined; readonly error: LahjaError }

/** The replies to a request to all responders, as they come; `break` gives up what is still missing. */
export class ReplyStream<Response> implements AsyncIterableIterator<Reply<Response>, undefined>, AsyncDisposable {
  readonly #inbox: StreamBuffer<Reply<Response>>
  readonly #giveUp: () => void

  constructor(inbox: StreamBuffer<Reply<Response>>, giveUp: () => void) {
    this.#inbox = inbox
    this.#giveUp = giveUp
  }

  /** @throws NoSubscribers, AbortError, EndpointClosed; each once */
  next(): Promise<IteratorResult<Reply<Response>, undefined>> {
    return this.#inbox.next()
  }

  /** Tells the responders that have not answered that nobody waits for them any more. */
  return(): Promise<IteratorResult<Reply<Response>, undefined>> {
    this.#inbox.discard()
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
