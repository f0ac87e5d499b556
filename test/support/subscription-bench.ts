import { Subscription, type SubscriptionContext } from '../../src/events/subscription'
import type { LahjaError } from '../../src/model/errors'
import type { Event, Handler } from '../../src/model/event'

interface BenchOptions extends Partial<SubscriptionContext> {
  readonly concurrency?: number
}

/** A subscription, and all that it tells. */
export function subscriptionWith(handle: Handler<unknown>, { concurrency = 1, ...options }: BenchOptions = {}) {
  const failures: LahjaError[] = []
  const ends: string[] = []
  const subscription = new Subscription({
    interest: { type: 'n' },
    consumer: { kind: 'handler', handle, concurrency },
    schema: undefined,
    known: () => Promise.resolve(),
    failed: (error) => failures.push(error),
    unsubscribed: () => ends.push('unsubscribed'),
    idle: () => {},
    ...options,
  })
  return { subscription, failures, ends }
}

export const eventOf = (payload: unknown): Event => ({ type: 'n', payload, origin: 'shop' })
