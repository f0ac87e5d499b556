import type { Receipt } from '../channel/receive-window'
import { asError, HandlerError, InvalidPayload, type LahjaError } from '../model/errors'
import { type Event, type Handler, isThenable } from '../model/event'
import type { Interest } from '../model/interest'
import { type StandardSchema, validate } from '../model/schema'
import { Fifo } from './fifo'

/** What becomes of a subscription's events. */
export type Consumer =
  /** A handler is called, for so many at a time. */
  | { readonly kind: 'handler'; readonly handle: Handler<unknown>; readonly concurrency: number }
  /** They are kept until they are read; then each one's receipt is settled. */
  | { readonly kind: 'keeper'; readonly keep: { keep(event: Event, receipt: Receipt): void }['keep'] }

/** Where an event that is not done with at once stays on the account. */
interface Account {
  hold(): Receipt
}

interface Task {
  readonly event: Event
  readonly receipt: Receipt
}

export interface SubscriptionContext {
  readonly interest: Interest
  readonly consumer: Consumer
  /** What payloads have to fit. */
  readonly schema: StandardSchema | undefined
  readonly known: () => Promise<void>
  readonly failed: (error: LahjaError) => void
  readonly unsubscribed: () => void
  /** Nothing waits for the handler any more. */
  readonly idle: () => void
}

/** One handler's interest in one type, or in the types of a pattern: gets its events in order, as fast as it takes them. */
export class Subscription implements Disposable {
  /** The name of a type, or a pattern. */
  readonly type: string
  readonly #context: SubscriptionContext
  readonly #concurrency: number
  readonly #waiting = new Fifo<Task>()
  #running = 0
  #state: 'open' | 'over' = 'open'
  #ready: Promise<void> | undefined

  constructor(context: SubscriptionContext) {
    const { interest, consumer } = context
    this.type = interest.type
    this.#context = context
    this.#concurrency = consumer.kind === 'handler' ? consumer.concurrency : Number.POSITIVE_INFINITY
  }

  /**
   * Resolves when every peer that is connected now knows of the subscription: nothing that they broadcast later is
   * missed. A peer that is stopped holds it up until it goes on or is gone. Rejects with `EndpointClosed` if the
   * endpoint closes first.
   */
  get ready(): Promise<void> {
    if (!this.#ready) {
      this.#ready = this.#context.known()
      this.#ready.catch(() => {})
    }
    return this.#ready
  }

  /** @internal */
  get interest(): Interest {
    return this.#context.interest
  }

  /** @internal Events under way and waiting. */
  get load(): number {
    return this.#running + this.#waiting.length
  }

  /** @internal Events from there that wait for the handler. */
  waitingFrom(origin: string): number {
    return this.#waiting.count(({ event }) => event.origin === origin)
  }

  /**
   * Ends the subscription: from now on its handler is not called. What it has begun it may end; events of a queue that
   * wait for it go to other members. Calling it again does nothing.
   */
  unsubscribe(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#context.unsubscribed()
    for (let task = this.#waiting.shift(); task; task = this.#waiting.shift()) task.receipt.release()
    this.#context.idle()
  }

  [Symbol.dispose](): void {
    this.unsubscribe()
  }

  /** @internal Hands an event to the handler, now or when there is room for it. */
  deliver(event: Event, account: Account): void {
    if (this.#state === 'over') return
    if (this.#running >= this.#concurrency) return void this.#waiting.push({ event, receipt: account.hold() })
    this.#run(event, undefined, account)
    if (this.#waiting.length > 0) this.#next()
  }

  /** @internal The same with an event that is on somebody's account already. */
  take(event: Event, receipt: Receipt): void {
    if (this.#state === 'over') return receipt.release()
    if (this.#running >= this.#concurrency) return void this.#waiting.push({ event, receipt })
    this.#run(event, receipt)
    if (this.#waiting.length > 0) this.#next()
  }

  /** @param account where to get a receipt if there is none, and one is needed */
  #run(event: Event, receipt: Receipt | undefined, account?: Account): void {
    const { consumer } = this.#context
    const checked = this.#checked(event)
    if (!checked) return receipt?.done()
    if (consumer.kind === 'keeper') {
      const kept = receipt ?? account?.hold()
      if (kept) consumer.keep(checked, kept)
      return
    }
    // Also while it has not returned: it may unsubscribe another, whose events come here.
    this.#running++
    try {
      const result = consumer.handle(checked)
      if (isThenable(result)) return this.#await(result, event, receipt ?? account?.hold())
    } catch (thrown) {
      this.#report(event, thrown)
    }
    this.#running--
    receipt?.done()
  }

  #await(result: PromiseLike<unknown>, event: Event, receipt: Receipt | undefined): void {
    const done = () => {
      this.#running--
      receipt?.done()
      this.#next()
    }
    Promise.resolve(result).then(done, (thrown) => {
      this.#report(event, thrown)
      done()
    })
  }

  #next(): void {
    while (this.#state === 'open' && this.#running < this.#concurrency) {
      const task = this.#waiting.shift()
      if (!task) return this.#context.idle()
      this.#run(task.event, task.receipt)
    }
  }

  /** The event with what the schema makes of its payload; nothing, and a report, where it doesn't fit. */
  #checked(event: Event): Event | undefined {
    const { schema, failed } = this.#context
    if (!schema) return event
    try {
      return { ...event, payload: validate(schema, event.payload, `event ${event.type} from ${event.origin}`) }
    } catch (error) {
      if (!(error instanceof InvalidPayload)) throw error
      failed(error)
      return undefined
    }
  }

  #report(event: Event, thrown: unknown): void {
    const cause = asError(thrown)
    const message = `a handler of ${this.type} failed on an event from ${event.origin}: ${cause.message}`
    this.#context.failed(new HandlerError(message, { cause }))
  }
}
