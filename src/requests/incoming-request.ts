import type { Channel } from '../channel/channel'
import type { AbortError } from '../model/errors'
import type { RequestEvent } from '../model/event'
import type { MessageOf } from '../wire/message'

/** A request that waits for its handler or is being handled. Its signal is created on first access, as few need it. */
export class IncomingRequest implements RequestEvent {
  readonly type: string
  readonly origin: string
  payload: unknown
  /** Where it came from. */
  readonly channel: Channel
  readonly id: number
  #controller: AbortController | undefined
  #abandoned: AbortError | undefined

  constructor(channel: Channel, { id, type, payload }: MessageOf<'request'>) {
    this.channel = channel
    this.id = id
    this.type = type
    this.payload = payload
    this.origin = channel.identity.name
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
