import { setTimeout as passed, setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { CloseTimeout, defineEvent } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { turn } from '../support/workbench'

const Job = defineEvent<number>('job')

describe('Endpoint.close', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it("delivers events accepted for the endpoint's own handlers too, one at a time (G12)", async () => {
    const self = await bus.start('self')
    const done: number[] = []
    self.subscribe(Job, async ({ payload }) => {
      for (let turn = 0; turn < 3; turn++) await setImmediate()
      done.push(payload)
    })
    for (const number of numbers(20)) self.broadcastNowait(Job, number)
    await self.close()
    await until(() => done.length === 20)
    expect(done).to.deep.equal(numbers(20))
  })

  it('rejects with the number of events that its own handlers had not started in time (G12)', async () => {
    const self = await bus.start('self')
    const held = new HeldHandler()
    self.subscribe(Job, held.handle)
    for (const number of numbers(5)) self.broadcastNowait(Job, number)
    await until(() => held.begun.length === 1)
    const timeout = await rejection(self.close({ timeout: 20 }))
    expect(timeout).to.be.instanceOf(CloseTimeout)
    expect(timeout).to.have.deep.property('undelivered', new Map([['self', 4]]))
  })

  it('gives up a silent peer that is owed no event after patience, without an error', async () => {
    const self = await bus.start('self', { limits: { patience: 20 } })
    const raw = await connectPeer(self)
    raw.pause()
    await self.close({ timeout: Number.POSITIVE_INFINITY })
    expect(self.peers).to.deep.equal([])
  })

  it('holds its name until its goodbye has been said: a successor comes after everything of its own', async () => {
    const observer = await bus.start('observer')
    const seen: string[] = []
    observer.on('joined', ({ name }) => seen.push(`${name} joined`))
    observer.on('left', ({ name }) => seen.push(`${name} left`))
    const first = await bus.start('shop')
    const slow = await connectPeer(first, { window: 2 ** 26 })
    await slow.want({ type: 'tick' })
    slow.pause()
    for (const _ of numbers(50)) first.broadcastNowait('tick', Buffer.alloc(100_000))
    const closing = first.close({ timeout: Number.POSITIVE_INFINITY })
    const second = bus.start('shop')
    const early = await Promise.race([second.then(() => true), passed(200).then(() => false)])
    expect(early, 'whether the successor started before the goodbye').to.equal(false)
    slow.resume()
    await closing
    await second
    await until(() => seen.length === 3)
    expect(seen).to.deep.equal(['shop joined', 'shop left', 'shop joined'])
  })

  it('rejects invalid options and leaves the endpoint open', async () => {
    const self = await bus.start('self')
    for (const timeout of [-1, Number.NaN, 'soon', null]) {
      const closing: unknown = Reflect.apply(self.close, self, [{ timeout }])
      expect(closing).to.be.instanceOf(Promise)
      expect(await rejection(Promise.resolve(closing))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
    }
    self.subscribe(Job, () => {})
    expect(await self.broadcast(Job, 1)).to.equal(1)
    await self.close({ timeout: undefined })
  })

  it('does not wait for unread streams of the endpoint', async () => {
    const self = await bus.start('self')
    const stream = self.stream(Job)
    for (const number of numbers(3)) self.broadcastNowait(Job, number)
    await self.close({ timeout: 60_000 })
    const read: number[] = []
    for await (const { payload } of stream) read.push(payload)
    expect(read).to.deep.equal(numbers(3))
  })

  it('lets a queue member report the events that it can no longer return to the closed sender (G5)', async () => {
    const { sender, member } = await bus.startAll('sender', 'member')
    const reports = reportsOf(member)
    const held = new HeldHandler()
    const subscription = member.subscribe(Job, held.handle, { queue: 'workers' })
    await subscription.ready
    for (const number of numbers(5)) await sender.broadcast(Job, number)
    await until(() => held.begun.length === 1)
    await sender.close()
    await until(() => member.peers.length === 0)
    subscription.unsubscribe()
    expect(codesOf(reports)).to.deep.equal(Array(4).fill('LAHJA_NO_SUBSCRIBERS'))
    held.release()
  })

  it('does not wait for events whose handler has unsubscribed', async () => {
    const self = await bus.start('self', { limits: { patience: 2 ** 31 - 1 } })
    const held = new HeldHandler()
    const subscription = self.subscribe(Job, held.handle)
    for (const number of numbers(5)) self.broadcastNowait(Job, number)
    await until(() => held.begun.length === 1)
    const closed = self.close({ timeout: Number.POSITIVE_INFINITY })
    // The close now waits for the waiting events.
    for (let count = 0; count < 10; count++) await turn()
    subscription.unsubscribe()
    await closed
    held.release()
  }).timeout(5000)
})
