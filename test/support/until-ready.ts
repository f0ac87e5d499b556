import type { Subscription } from '../../src'

/** Resolves when every connected peer knows of the subscription, however long one of them takes. */
export async function untilReady(subscription: Pick<Subscription, 'ready'>): Promise<void> {
  while ((await subscription.ready).length > 0) {}
}
