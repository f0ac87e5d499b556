import type { AbortError } from '../model/errors'
import type { EventHeaders, RequestEvent } from '../model/event'

/** A request that is being handled. Its signal is created on first access, since few handlers need it. */
export class IncomingRequest implements RequestEvent {
  readonly type: string
  readonly origin: string
  readonly headers: EventHeaders
  payload: unknown
  #controller: AbortController | undefined
  #abandoned: AbortError | undefined

  constructor(type: string, payload: unknown, origin: string, headers: EventHeaders) {
    this.type = type
    this.payload = payload
    this.origin = origin
    this.headers = headers
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#abandoned) this.#controller.abort(this.#abandoned)
    }
    return this.#controller.signal
  }

  /** Aborts the signal: no response is needed any more. */
  abandon(reason: AbortError): void {
    this.#abandoned = reason
    this.#controller?.abort(reason)
  }
}
