import type { AbortError } from '../model/errors'
import type { RequestEvent } from '../model/event'

/** A request under way. Its signal is made when a handler looks at it: most don't, and it costs more than all the rest. */
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

  /** Nobody waits for the response any more. */
  abandon(reason: AbortError): void {
    this.#abandoned = reason
    this.#controller?.abort(reason)
  }
}
