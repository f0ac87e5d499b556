import { expect } from 'chai'
import { defineEvent, type Endpoint } from '../../src'
import { DEALT } from '../support/members'
import { useBus } from './bus'
import type { Numbered } from './endpoint-history'
import type { RemoteEndpoint } from './remote-endpoint'

const Job = defineEvent<Numbered>('job')

describe('a handler in another process', () => {
  const bus = useBus()
  let sender: Endpoint
  let worker: RemoteEndpoint

  beforeEach(async () => {
    sender = await bus.join('sender')
    worker = await bus.start('worker')
    await worker.subscribe('marker')
  })

  async function send(count: number, first = 0): Promise<void> {
    for (let number = first; number < first + count; number++) await sender.broadcast(Job, { number })
    // Arrives after all of them.
    await sender.broadcast('marker', { number: 0 })
    await worker.untilReceived('marker', 1)
  }

  for (const concurrency of [1, 3, 16]) {
    it(`G4: runs exactly ${concurrency} at a time, started in order, with concurrency ${concurrency}`, async () => {
      await worker.subscribe('job', { concurrency, manner: 'held' })
      await send(50)
      expect((await worker.work('job')).begun).to.deep.equal(upTo(concurrency))

      for (let ended = 1; ended <= 10; ended++) {
        await worker.finishOldest('job')
        await worker.untilWork('job', { ended, begun: concurrency + ended })
        expect((await worker.work('job')).begun).to.deep.equal(upTo(concurrency + ended))
      }
      await worker.finishAll('job')
      await worker.untilWork('job', { ended: 50 })
      const { begun, mostAtOnce } = await worker.work('job')
      expect(begun).to.deep.equal(upTo(50))
      expect(mostAtOnce).to.equal(concurrency)
    })
  }

  it('runs once at a time by default', async () => {
    await worker.subscribe('job', { manner: 'in-turns' })
    await send(50)
    await worker.untilWork('job', { ended: 50 })
    const { begun, ended, mostAtOnce } = await worker.work('job')
    expect(mostAtOnce).to.equal(1)
    expect([begun, ended]).to.deep.equal([upTo(50), upTo(50)])
  })

  it('does not delay other subscriptions of its endpoint', async () => {
    await worker.subscribe('job', { concurrency: 2, manner: 'held' })
    await worker.subscribe('*')
    await send(20)
    await worker.untilWork('*', { ended: 21 })
    expect((await worker.work('job')).begun).to.deep.equal([0, 1])
  })

  it('of a queue takes its share, with its own concurrency', async () => {
    const other = await bus.start('other')
    const order = { ...DEALT, manner: 'held', logs: bus.logs } as const
    await worker.subscribe('job', { ...order, concurrency: 4 })
    await other.subscribe('job', order)
    await send(40)

    await worker.untilWork('job', { begun: 4 })
    await other.untilWork('job', { begun: 1 })
    for (const endpoint of [worker, other]) await endpoint.finishAll('job')
    const shares = []
    for (const endpoint of [worker, other]) {
      await endpoint.untilWork('job', { ended: 20 })
      shares.push(await endpoint.work('job'))
    }
    expect(shares.map(({ mostAtOnce }) => mostAtOnce)).to.deep.equal([4, 1])
    const ended = shares.flatMap((share) => share.ended).sort((one, another) => one - another)
    expect(ended).to.deep.equal(upTo(40))
  })
})

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}
