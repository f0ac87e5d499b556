import { expect } from 'chai'
import { defineEvent, type Endpoint, type Event } from '../../src'
import { freshBus, until } from '../support/bus'
import { changesAt } from '../support/changes'
import { HeldHandler } from '../support/held-handler'
import { DEALT, numbers } from '../support/members'
import { reportsOf } from '../support/reports'

const Job = defineEvent<number>('job')

/** One event uses up the window, and one reaches the mark. */
const TIGHT = { windowBytes: 1, highWaterMark: 0 }

describe('A slow queue member', () => {
  const bus = freshBus()
  let sender: Endpoint
  let done: number[]
  let held: HeldHandler

  beforeEach(() => {
    done = []
    held = new HeldHandler()
  })

  async function startWith(hung: Endpoint, limits: object = {}): Promise<void> {
    const free = await bus.start('free', { limits })
    await hung.subscribe(Job, held.handle, DEALT).ready
    await free.subscribe(Job, ({ payload }) => void done.push(payload), DEALT).ready
    await sender.waitUntilConnectedTo('free')
  }

  it('holds the sender up once: it lags, its unsent events go to others, and it recovers when it reads (G8)', async () => {
    sender = await bus.start('sender', { limits: { highWaterMark: 0, patience: 100 } })
    const told = changesAt(sender, 'lagging', 'recovered')
    await startWith(await bus.start('hung', { limits: { windowBytes: 1 } }))
    for (const number of numbers(20)) await sender.broadcast(Job, number)
    await sender.drained()
    await until(() => done.length === 19)
    expect(told).to.deep.equal(['hung lagging'])
    expect(sender.peers.find(({ name }) => name === 'hung')).to.include({ state: 'lagging', queuedBytes: 0 })

    held.release()
    await until(() => told.length === 2)
    expect(told).to.deep.equal(['hung lagging', 'hung recovered'])
    await until(() => done.length + held.ended.length === 20)
  })

  it('loses its unsent events to others also if it is the sender itself', async () => {
    sender = await bus.start('sender', { limits: { ...TIGHT, patience: 100 } })
    await startWith(sender)
    for (const number of numbers(20)) await sender.broadcast(Job, number)
    await until(() => done.length === 19)
    held.release()
    await until(() => held.ended.length === 1)
  })

  it('keeps events that no other member could receive', async () => {
    sender = await bus.start('sender', { limits: { highWaterMark: 0, patience: 100 } })
    const errors = reportsOf(sender)
    const Large = defineEvent<Uint8Array>('job')
    await startWith(await bus.start('hung', { limits: { windowBytes: 1 } }), { frameBytes: 4096, outboxBytes: 65_536 })
    for (const _ of numbers(5)) await sender.broadcast(Large, Buffer.alloc(10_000))
    await until(() => sender.peers.some(({ state }) => state === 'lagging'))
    held.release()
    await until(() => held.ended.length === 5)
    expect([done, errors]).to.deep.equal([[], []])
  })

  it('does not replace events of a plain subscription under overflow latest', async () => {
    const State = defineEvent<number>('state', { overflow: 'latest' })
    sender = await bus.start('sender')
    const receiver = await bus.start('receiver', { limits: { windowBytes: 1 } })
    const got: Record<string, number[]> = { plain: [], one: [], other: [] }
    const handle = (name: string) => (event: Event<number>) => {
      got[name]?.push(event.payload)
      return held.handle(event)
    }
    await receiver.subscribe(State, handle('plain')).ready
    await receiver.subscribe(State, handle('one'), { queue: 'one' }).ready
    await receiver.subscribe(State, handle('other'), { queue: 'other' }).ready
    for (const number of numbers(20)) sender.broadcastNowait(State, number)
    await until(() => got.plain?.length === 1)
    held.release()
    await until(() => Object.values(got).every((numbers) => numbers.at(-1) === 19))
  })
})
