import { expect } from 'chai'
import { PayloadTooLarge } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { join, numbers } from '../support/members'

const LIMIT = 8192
const SMALL = { limits: { frameBytes: LIMIT } }
const QUEUE = 'q'.repeat(60)

describe('An event of a queue whose members have prefetch', () => {
  const bus = freshBus()

  it('goes to no member without that does not take it together with the name of the queue', async () => {
    const { a, b } = await bus.startEach({ a: {}, b: SMALL })
    let losses = 0
    a.on('lost', () => losses++)
    await join(a, 'job', { queue: QUEUE, prefetch: 0 }, new HeldHandler().handle)
    const { got } = await join(b, 'job', { queue: QUEUE })
    for (const less of numbers(120)) a.broadcastNowait('job', Buffer.alloc(LIMIT - less))
    a.broadcastNowait('job', 'last')
    await until(() => got.includes('last'))
    expect(losses).to.equal(0)
  })

  it('is refused as too large if it is too large only in its queue', async () => {
    const { a } = await bus.startEach({ a: SMALL })
    await join(a, 'job', { queue: QUEUE, prefetch: 0 })
    expect(() => a.broadcastNowait('job', Buffer.alloc(LIMIT - 12))).to.throw(PayloadTooLarge)
  })
})
