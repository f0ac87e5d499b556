import type { LahjaError } from './errors'
import type { Event, Handler } from './event'
import { Router } from './router'
import { Subscription } from './subscription'

export interface SubscriptionsContext {
  /** Tells the peers that this endpoint has begun or ended to care for types; resolves when they know. */
  readonly announce: (change: 'subscribe' | 'unsubscribe', types: readonly string[]) => Promise<void>
  /** Resolves like the promise, but rejects when the endpoint closes first. */
  readonly untilClose: (promise: Promise<void>) => Promise<void>
  readonly failed: (error: LahjaError) => void
}

/** The subscriptions of one endpoint. Peers hear of a type once, however many subscriptions it has. */
export class Subscriptions {
  readonly #context: SubscriptionsContext
  readonly #router = new Router<Subscription>()

  constructor(context: SubscriptionsContext) {
    this.#context = context
  }

  /** Every type that has a subscription. */
  types(): readonly string[] {
    return this.#router.types()
  }

  has(type: string): boolean {
    return this.#router.select(type).length > 0
  }

  /** @param options `signal` ends the subscription, `ended` is called when anything has ended it */
  add(
    type: string,
    handler: Handler<unknown>,
    { signal, ended }: { readonly signal?: AbortSignal | undefined; readonly ended?: () => void },
  ): Subscription {
    const stop = () => subscription.unsubscribe()
    const subscription: Subscription = new Subscription(type, handler, {
      ready: (added) => this.#context.untilClose(this.#add(added)),
      failed: this.#context.failed,
      unsubscribed: (removed) => {
        signal?.removeEventListener('abort', stop)
        this.#remove(removed)
        ended?.()
      },
    })
    if (signal?.aborted) subscription.unsubscribe()
    else signal?.addEventListener('abort', stop, { once: true })
    return subscription
  }

  deliver(event: Event): void {
    for (const subscription of this.#router.select(event.type)) subscription.deliver(event)
  }

  /** Ends all subscriptions; nobody needs to be told. */
  close(): void {
    for (const type of this.types()) {
      for (const subscription of this.#router.select(type)) subscription.unsubscribe()
    }
  }

  #add(subscription: Subscription): Promise<void> {
    const { type } = subscription
    const isNews = !this.has(type)
    this.#router.add(type, subscription)
    // Of nothing new, but acknowledged only after all that was announced before.
    return this.#context.announce('subscribe', isNews ? [type] : [])
  }

  #remove(subscription: Subscription): void {
    const { type } = subscription
    this.#router.remove(type, subscription)
    if (this.has(type)) return
    void this.#context.announce('unsubscribe', [type])
  }
}
