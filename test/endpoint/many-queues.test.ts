import { expect } from 'chai'
import { defineEvent } from '../../src'
import { freshBus, until } from '../support/bus'

describe('A thousand queues with prefetch', () => {
  const bus = freshBus()

  it('each give every event to one of their members, and are forgotten when these are gone', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    const jobs = Array.from({ length: 1000 }, (_, index) => defineEvent<number>(`job.${index}`))
    const handled: string[] = []
    for (const [index, job] of jobs.entries()) {
      for (const endpoint of [one, two]) {
        endpoint.subscribe(job, ({ type, payload }) => handled.push(`${type} ${payload}`), {
          queue: `queue-${index}`,
          prefetch: 1,
        })
      }
    }
    await until(() => sender.peers.every(({ subscriptions }) => subscriptions.length === jobs.length))
    for (let number = 0; number < 5; number++) for (const job of jobs) await sender.broadcast(job, number)
    await until(() => handled.length === 5 * jobs.length)
    expect(new Set(handled).size).to.equal(5 * jobs.length)
    await until(() => sender.queues().every(({ inHand, waiting }) => inHand + waiting === 0))
    expect(sender.queues()).to.have.lengthOf(jobs.length)
    await Promise.all([one.close(), two.close()])
    await until(() => sender.queues().length === 0)
  })

  it('and thirty times as many are joined in linear time', async function () {
    this.timeout(10_000)
    const worker = await bus.start('worker', { limits: { interests: 30_000 } })
    for (let index = 0; index < 30_000; index++) worker.subscribe(`job.${index}`, () => {}, { queue: `queue-${index}` })
    expect(worker.queues()).to.have.lengthOf(30_000)
  })
})
