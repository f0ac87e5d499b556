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
