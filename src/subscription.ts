import { asError, HandlerError } from './errors'
import type { Event, Handler } from './event'
import { Fifo } from './fifo'

/** One handler's interest in one type: gets its events one at a time, in order. */
export class Subscription implements Disposable {
  readonly type: string
  /**
   * Resolves when every peer that is connected now knows of the subscription: nothing that they broadcast later is
   * missed. A peer that is stopped holds it up until it goes on or is gone. Rejects with `EndpointClosed` if the
   * endpoint closes first.
   */
  readonly ready: Promise<void>
  readonly #handler: Handler<unknown>
  readonly #failed: (error: HandlerError) => void
  readonly #unsubscribed: (subscription: Subscription) => void
  readonly #waiting = new Fifo<Event>()
  #state: 'idle' | 'busy' | 'over' = 'idle'

  constructor(
    type: string,
    handler: Handler<unknown>,
    hooks: {
      readonly ready: (subscription: Subscription) => Promise<void>
      readonly failed: (error: HandlerError) => void
      readonly unsubscribed: (subscription: Subscription) => void
    },
  ) {
    this.type = type
    this.#handler = handler
    this.#failed = hooks.failed
    this.#unsubscribed = hooks.unsubscribed
    this.ready = hooks.ready(this)
    this.ready.catch(() => {})
  }

  /** Ends the subscription: from now on its handler is not called. Calling it again does nothing. */
  unsubscribe(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#waiting.clear()
    this.#unsubscribed(this)
  }

  [Symbol.dispose](): void {
    this.unsubscribe()
  }

  /** Hands an event to the handler, now or when the one before it is done. */
  deliver(event: Event): void {
    if (this.#state === 'busy') this.#waiting.push(event)
    else if (this.#state === 'idle') this.#run(event)
  }

  #run(event: Event): void {
    try {
      const result = this.#handler(event)
      if (!isThenable(result)) return
      this.#state = 'busy'
      const next = () => this.#next()
      Promise.resolve(result).then(next, (thrown) => {
        this.#report(event, thrown)
        next()
      })
    } catch (thrown) {
      this.#report(event, thrown)
    }
  }

  #next(): void {
    if (this.#state !== 'busy') return
    this.#state = 'idle'
    while (this.#state === 'idle') {
      const event = this.#waiting.shift()
      if (!event) return
      this.#run(event)
    }
  }

  #report(event: Event, thrown: unknown): void {
    const cause = asError(thrown)
    const message = `a handler of ${this.type} failed on an event from ${event.origin}: ${cause.message}`
    this.#failed(new HandlerError(message, { cause }))
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
