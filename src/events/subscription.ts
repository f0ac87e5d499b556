import type { inspect } from 'node:util'
import type { Interest } from '../model/interest'

/** Tells the bus what this endpoint wants. */
export interface Announcer {
  announce(change: 'subscribe' | 'unsubscribe', interest: Interest): void
  /** Resolves when every connected peer knows of all changes so far; rejects when the endpoint closes first. */
  known(): Promise<void>
}

export interface SubscriptionContext {
  readonly interest: Interest
  readonly announcer: Announcer
  readonly signal: AbortSignal | undefined
  /** Counts events or requests that were delivered and are not handled yet. */
  readonly pending: () => number
  /** Called once, when the interest has been withdrawn. */
  readonly ended: () => void
}

/** An interest that this endpoint has announced: of `subscribe` in events of a type, of `respond` in its requests. */
export class Subscription implements Disposable {
  /** The type, or the pattern of types, that it is for. */
  readonly type: string
  readonly #context: SubscriptionContext
  #state: 'open' | 'unsubscribed' = 'open'
  #ready: Promise<void> | undefined

  /** @internal */
  constructor(context: SubscriptionContext) {
    this.type = context.interest.type
    this.#context = context
  }

  /** @internal Announces the interest, until `unsubscribe` or the signal's abort. */
  announce(): this {
    const { interest, announcer, signal } = this.#context
    announcer.announce('subscribe', interest)
    if (signal?.aborted) this.unsubscribe()
    else signal?.addEventListener('abort', this.#abort, { once: true })
    return this
  }

  /**
   * Resolves when every peer that is connected now knows of the subscription: nothing that they broadcast later is
   * missed. A peer that is stopped holds it up until it continues or is gone.
   *
   * Rejects with `EndpointClosed` if the endpoint closes first.
   */
  get ready(): Promise<void> {
    if (!this.#ready) {
      this.#ready = this.#context.announcer.known()
      this.#ready.catch(() => {})
    }
    return this.#ready
  }

  /** Events or requests that were delivered to the handler and are not handled yet: running and waiting. */
  get pending(): number {
    return this.#context.pending()
  }

  /**
   * Ends the subscription: from now on the handler is not called. Calls that are running come to their end; events of a
   * queue that wait for the handler go to other members. Calling it again does nothing.
   */
  unsubscribe(): void {
    if (this.#state === 'unsubscribed') return
    this.#state = 'unsubscribed'
    const { interest, announcer, signal, ended } = this.#context
    signal?.removeEventListener('abort', this.#abort)
    announcer.announce('unsubscribe', interest)
    ended()
  }

  [Symbol.dispose](): void {
    this.unsubscribe()
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](_depth: number, options: object, show: typeof inspect): string {
    const { type, pending } = this
    const { queue, from } = this.#context.interest
    const fields = { type, ...(queue && { queue }), ...(from && { from }), state: this.#state, pending }
    return `Subscription ${show(fields, options)}`
  }

  readonly #abort = (): void => this.unsubscribe()
}
