import type { AbortError } from '../model/errors'
import type { RequestEvent } from '../model/event'

/** A request that a handler is running for. Its signal is made on first access, since it costs more than the rest. */
export class IncomingRequest implements RequestEvent {
  readonly type: string
  readonly origin: string
  payload: unknown
  #controller: AbortController | undefined
  #abandoned: AbortError | undefined

  constructor(type: string, payload: unknown, origin: string) {
    this.type = type
    this.payload = payload
    this.origin = origin
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#abandoned) this.#controller.abort(this.#abandoned)
    }
    return this.#controller.signal
  }

  /** Aborts the signal: nothing waits for the response any more. */
  abandon(reason: AbortError): void {
    this.#abandoned = reason
    this.#controller?.abort(reason)
  }
}
