import type { inspect } from 'node:util'
import type { Interest } from '../model/interest'
import { offAbort, onAbort } from '../platform/abort-listeners'

/** Announces the interests of this endpoint to its peers. */
export interface Announcer {
  announce(change: 'subscribe' | 'unsubscribe', interest: Interest): void
  /**
   * Resolves when every connected peer knows of all changes so far, or after `limits.patience` to the names of those that
   * don't; rejects when the endpoint closes first.
   */
  acknowledged(): Promise<readonly string[]>
}

export interface SubscriptionContext {
  readonly interest: Interest
  readonly announcer: Announcer
  readonly signal: AbortSignal | undefined
  /** Counts events or requests that were delivered and are not handled yet. */
  readonly pending: () => number
  /** Called once, after the interest has been withdrawn. */
  readonly ended: () => void
}

/** A subscription to events, made by `subscribe`, or a responder to requests, made by `respond`. */
export class Subscription implements Disposable {
  /** The type or pattern that is subscribed or responded to. */
  readonly type: string
  readonly #context: SubscriptionContext
  #state: 'open' | 'unsubscribed' = 'open'
  #ready: Promise<readonly string[]> | undefined

  /** @internal */
  constructor(context: SubscriptionContext) {
    this.type = context.interest.type
    this.#context = context
  }

  /** @internal */
  get interest(): Interest {
    return this.#context.interest
  }

  /** @internal Announces the interest, until `unsubscribe` or the signal's abort. @throws InvalidArgument */
  announce(): this {
    const { interest, announcer, signal } = this.#context
    announcer.announce('subscribe', interest)
    try {
      if (signal?.aborted) this.unsubscribe()
      else if (signal) onAbort(signal, this.#abort)
      return this
    } catch (error) {
      this.unsubscribe()
      throw error
    }
  }

  /**
   * Resolves when every currently connected peer knows of the subscription: none of their later events or requests is
   * missed. A peer that doesn't answer delays it by `limits.patience` at most; it resolves to the names of these peers,
   * usually `[]`. Read it again to wait for them again.
   *
   * Rejects with `EndpointClosed` if the endpoint closes first.
   */
  get ready(): Promise<readonly string[]> {
    if (!this.#ready) {
      this.#ready = this.#known()
      this.#ready.catch(() => {})
    }
    return this.#ready
  }

  /** Number of events or requests that are being handled or wait for the handler. */
  get pending(): number {
    return this.#context.pending()
  }

  /**
   * Ends the subscription: the handler is not called from now on. Running calls finish, and queue events that wait for
   * the handler go to other members. Calling it again does nothing.
   */
  unsubscribe(): void {
    if (this.#state === 'unsubscribed') return
    this.#state = 'unsubscribed'
    const { interest, announcer, signal, ended } = this.#context
    if (signal) offAbort(signal, this.#abort)
    announcer.announce('unsubscribe', interest)
    ended()
  }

  async #known(): Promise<readonly string[]> {
    const missing = await this.#context.announcer.acknowledged()
    if (missing.length > 0) this.#ready = undefined
    return missing
  }

  /** Calls `unsubscribe()`. */
  [Symbol.dispose](): void {
    this.unsubscribe()
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](_depth: number, options: object, show: typeof inspect): unknown {
    if (!(#context in this)) return this // A proxy, or an object that inherits from this one.
    const { type, pending } = this
    const { queue, from } = this.#context.interest
    const fields = { type, ...(queue && { queue }), ...(from && { from }), state: this.#state, pending }
    return `Subscription ${show(fields, options)}`
  }

  readonly #abort = (): void => this.unsubscribe()
}
