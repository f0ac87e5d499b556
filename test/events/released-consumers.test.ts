import { expect } from 'chai'
import type { Subscription } from '../../src/events/subscription'
import { freshBus, until } from '../support/bus'
import { collectGarbage } from '../support/garbage'
import { SubscriptionsBench } from '../support/subscriptions-bench'

describe('Subscriptions keep nothing', () => {
  const bus = freshBus()

  it('of a handler that unsubscribes itself', async () => {
    const bench = new SubscriptionsBench()
    const refs: WeakRef<object>[] = []
    for (let count = 0; count < 10; count++) {
      const kept = { count }
      refs.push(new WeakRef(kept))
      const subscription: Subscription = bench.add('order.placed', () => {
        kept.count++
        subscription.unsubscribe()
      })
    }
    bench.deliver(1)
    while (refs.some((ref) => ref.deref() !== undefined)) await collectGarbage()
    expect(bench.subscriptions.isIdle).to.equal(true)
  })

  it('of a stream that has ended unread and that nobody refers to', async () => {
    const self = await bus.start('self')
    const stream = new WeakRef(self.stream('tick', { limit: 1 }))
    await self.broadcast('tick', 1)
    await until(() => self.subscribedEvents.size === 0)
    while (stream.deref() !== undefined) await collectGarbage()
    await self.close()
  })
})
