import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { defineRequest } from '../../src'
import { freshBus, until } from '../support/bus'

const Ask = defineRequest<unknown, unknown>('ask')

describe('A handler', () => {
  const bus = freshBus()
  const storage = new AsyncLocalStorage<string>()

  it('runs in the async context in which it was subscribed, whoever sends', async () => {
    const { sender, receiver } = await storage.run('start', () => bus.startAll('sender', 'receiver'))
    const seen: unknown[] = []
    const note = (what: string) => () => void seen.push(`${what} in ${storage.getStore()}`)
    await storage.run('subscribe', async () => {
      await receiver.subscribe('tick', note('event')).ready
      await receiver.subscribe('tick', note('queue event'), { queue: 'workers' }).ready
      await receiver.respond(Ask, () => `response in ${storage.getStore()}`).ready
    })
    for (const endpoint of [sender, receiver]) {
      await storage.run('send', async () => {
        await endpoint.broadcast('tick')
        seen.push(await endpoint.request(Ask, 1))
        expect(storage.getStore()).to.equal('send')
      })
      await until(() => seen.length === 3)
      expect(seen.splice(0)).to.have.members(['event', 'queue event', 'response'].map((what) => `${what} in subscribe`))
    }
    receiver.subscribe('tock', note('event'))
    storage.run('send', () => receiver.broadcastNowait('tock'))
    await until(() => seen.length === 1)
    expect(seen).to.deep.equal(['event in undefined'])
  })

  it('runs in its own context among others whose events come in one piece', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const seen: unknown[] = []
    const note = (what: string) => () => {
      seen.push(`${what} in ${storage.getStore()}`)
      // Must not last longer than the call.
      storage.run('handler', () => receiver.broadcastNowait('inner'))
    }
    for (const name of ['one', 'two']) await storage.run(name, () => receiver.subscribe('tick', note(name)).ready)
    await storage.run(
      'three',
      () => receiver.subscribe('inner', () => seen.push(`inner in ${storage.getStore()}`)).ready,
    )
    await storage.run('four', () => receiver.subscribe('tock', note('four')).ready)
    for (let count = 0; count < 20; count++) sender.broadcastNowait(count % 5 === 4 ? 'tock' : 'tick')
    await until(() => seen.length === 72)
    const counts = new Map<unknown, number>()
    for (const each of seen) counts.set(each, (counts.get(each) ?? 0) + 1)
    const expected = { 'one in one': 16, 'two in two': 16, 'four in four': 4, 'inner in three': 36 }
    expect(Object.fromEntries(counts)).to.deep.equal(expected)
  })

  it('does not lose the context over its own awaits', async () => {
    const self = await bus.start('self')
    const seen: unknown[] = []
    storage.run('subscribe', () =>
      self.subscribe('tick', async () => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        seen.push(storage.getStore())
      }),
    )
    await self.broadcast('tick')
    await until(() => seen.length === 1)
    expect(seen).to.deep.equal(['subscribe'])
  })
})

describe('A listener of an endpoint', () => {
  const bus = freshBus()
  const storage = new AsyncLocalStorage<string>()

  it('runs in the context in which its endpoint was started, not in that of a handler', async () => {
    const receiver = await storage.run('start', () => bus.start('receiver'))
    const sender = await bus.start('sender')
    const seen: unknown[] = []
    await storage.run('subscribe', () => receiver.subscribe('tick', () => seen.push(storage.getStore())).ready)
    storage.run('listen', () => receiver.on('subscriptionsChanged', () => seen.push(storage.getStore())))
    await sender.broadcast('tick')
    await until(() => seen.length === 1)
    await sender.subscribe('tock', () => {}).ready
    await until(() => seen.length === 2)
    expect(seen).to.deep.equal(['subscribe', 'start'])
  })
})
