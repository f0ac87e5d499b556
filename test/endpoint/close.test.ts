import { once } from 'node:events'
import { setTimeout as passed, setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { CloseTimeout, defineEvent, type Endpoint, type Event } from '../../src'
import type { Interest } from '../../src/model/interest'
import { freshBus, until } from '../support/bus'
import { encoded, hexFrame } from '../support/frame-bytes'
import { HeldHandler } from '../support/held-handler'
import { DEALT, numbers } from '../support/members'
import { type RawPeer, rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { throwing } from '../support/throwing'
import { turn } from '../support/workbench'

const Job = defineEvent<number>('job')

/** An interest as a decoder returns it. */
function withAll(interest: Interest): Interest {
  return { from: undefined, queue: undefined, responds: undefined, ...interest }
}

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
    expect(timeout).to.deep.include({ undelivered: new Map(), unhandled: new Map([['job', 5]]) })
    expect(held.begun).to.have.length(1)
  })

  it('handles everything that it was sent before, however slow its handler, and then says goodbye (G5, G6, G12)', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const done: number[] = []
    const slow = receiver.subscribe(Job, async ({ payload }) => {
      for (let turn = 0; turn < 3; turn++) await setImmediate()
      done.push(payload)
    })
    await slow.ready
    for (const number of numbers(200)) await sender.broadcast(Job, number)
    const left = once(sender, 'left')
    await receiver.close({ timeout: 60_000 })
    expect(done).to.deep.equal(numbers(200))
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 0 })
  })

  it('counts what its handlers did not take in time, here by type and at the sender (G5, G12)', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const held = new HeldHandler()
    const other = new HeldHandler()
    await receiver.subscribe('big', held.handle).ready
    await receiver.subscribe('big', other.handle).ready
    // More than the receive window: some are still queued at the sender.
    for (const _ of numbers(30)) sender.broadcastNowait('big', Buffer.alloc(100_000))
    await until(() => held.begun.length === 1)
    other.release()
    await until(() => other.ended.length > 5)
    const left = once(sender, 'left')
    const timeout = await rejection(receiver.close({ timeout: 200 }))
    expect(timeout).to.be.instanceOf(CloseTimeout)
    expect(timeout).to.have.property('code', 'LAHJA_CLOSE_TIMEOUT')
    expect(timeout).to.deep.include({ undelivered: new Map(), unhandled: new Map([['big', other.ended.length]]) })
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 30 })
    expect(held.begun).to.have.length(1)
  })

  it('waits for readers of streams, and counts what they leave unread (G12)', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const [read, unread] = [receiver.stream('read'), receiver.stream('un.*')]
    await Promise.all([read.ready, unread.ready])
    for (const number of numbers(5)) for (const type of ['read', 'un.read']) await sender.broadcast(type, number)
    const left = once(sender, 'left')
    const closing = rejection(receiver.close({ timeout: 1000 }))
    const got: unknown[] = []
    for await (const { payload } of read) {
      got.push(payload)
      await setImmediate()
      if (got.length === 5) break
    }
    expect(got).to.deep.equal(numbers(5))
    expect(await closing).to.have.deep.property('unhandled', new Map([['un.read', 5]]))
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 5 })
  })

  it('waits for a running handler whose subscription has ended', async () => {
    const self = await bus.start('self')
    const held = new HeldHandler()
    const subscription = self.subscribe(Job, held.handle)
    await self.broadcast(Job, 1)
    await until(() => held.begun.length === 1)
    subscription.unsubscribe()
    const closing = self.close({ timeout: Number.POSITIVE_INFINITY })
    await turn()
    held.release()
    await closing
    expect(held.ended).to.deep.equal([1])
  })

  it('does not wait for a handler that closes the endpoint itself, and lets the next event be handled', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const handled: number[] = []
    const subscription = receiver.subscribe(Job, async ({ payload }) => {
      handled.push(payload)
      if (payload === 0) await receiver.close({ timeout: Number.POSITIVE_INFINITY })
    })
    await subscription.ready
    const left = once(sender, 'left')
    for (const number of numbers(3)) sender.broadcastNowait(Job, number)
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 0 })
    await receiver.close()
    expect(handled).to.deep.equal(numbers(3))
  }).timeout(5000)

  it('does not wait for a handler that calls it while it is under way', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    await receiver.subscribe(Job, () => receiver.close()).ready
    for (const number of numbers(3)) sender.broadcastNowait(Job, number)
    await receiver.close({ timeout: Number.POSITIVE_INFINITY })
  }).timeout(5000)

  it('does not wait for a responder that calls it', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    await receiver.respond('stop', () => receiver.close({ timeout: Number.POSITIVE_INFINITY })).ready
    expect(await rejection(sender.request('stop', 1))).to.have.property('code', 'LAHJA_REMOTE_DISCONNECTED')
    await receiver.close()
  }).timeout(5000)

  it('is one call, also for a handler that it calls first', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const held = new HeldHandler()
    const inner: Promise<void>[] = []
    await receiver.subscribe(Job, held.handle, DEALT).ready
    for (const number of numbers(2)) sender.broadcastNowait(Job, number)
    await until(() => held.begun.length === 1)
    receiver.subscribe(Job, () => void inner.push(receiver.close({ timeout: 0 })), DEALT)
    const outer = receiver.close({ timeout: Number.POSITIVE_INFINITY })
    held.release()
    await outer
    expect(inner).to.deep.equal([outer])
    expect(held.ended).to.deep.equal([0])
  })

  it('begins nothing once the time for handlers is up, and counts it once (G12)', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const held = [new HeldHandler(), new HeldHandler()]
    const members = held.map(({ handle }) => receiver.subscribe(Job, handle, DEALT))
    await Promise.all(members.map(({ ready }) => ready))
    for (const number of numbers(8)) sender.broadcastNowait(Job, number)
    await until(() => members.every(({ pending }) => pending === 4))
    held[1]?.releaseOne()
    await until(() => held[1]?.begun.length === 2)
    const left = once(sender, 'left')
    const timeout = await rejection(receiver.close({ timeout: 100 }))
    expect(timeout).to.have.deep.property('unhandled', new Map([['job', 7]]))
    expect((await left)[1]).to.deep.equal({ unfinished: 7, unfinishedEvents: [], unhandled: 0 })
    expect(held.flatMap(({ begun }) => begun)).to.have.length(3)
  })

  it('waits for the reader of a stream that has ended by its limit, and counts what it leaves unread (G12)', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const [read, unread] = [receiver.stream('read', { limit: 5 }), receiver.stream('unread', { limit: 5 })]
    await Promise.all([read.ready, unread.ready])
    for (const number of numbers(5)) for (const type of ['read', 'unread']) await sender.broadcast(type, number)
    await until(() => receiver.subscribedEvents.size === 0)
    const left = once(sender, 'left')
    const closing = rejection(receiver.close({ timeout: 1000 }))
    const got: unknown[] = []
    for await (const { payload } of read) {
      await setImmediate()
      got.push(payload)
    }
    expect(await closing).to.have.deep.property('unhandled', new Map([['unread', 5]]))
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 5 })
    expect(got).to.deep.equal(numbers(5))
  })

  it('waits for no handler whose promise can not be awaited', async () => {
    const self = await bus.start('self')
    const reports = reportsOf(self)
    const odd = Object.defineProperty(Promise.resolve(), 'constructor', { get: throwing(new Error('no constructor')) })
    self.subscribe(Job, () => odd)
    await self.broadcast(Job, 1)
    await until(() => reports.length > 0)
    await self.close({ timeout: Number.POSITIVE_INFINITY })
  }).timeout(5000)

  it('handles events that its own handlers broadcast to its own queues while it drains (G5, G12)', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const seen: unknown[] = []
    const first = async ({ payload }: Event) => {
      await setImmediate()
      expect(await receiver.broadcast('second', payload)).to.equal(1)
    }
    await receiver.subscribe('first', first, { queue: 'first' }).ready
    await receiver.subscribe('second', ({ payload }) => void seen.push(payload), { queue: 'second' }).ready
    for (const number of numbers(6)) await sender.broadcast('first', number)
    await receiver.close()
    expect(seen).to.deep.equal(numbers(6))
  })

  it('handles events that its own handlers broadcast while it drains', async () => {
    const self = await bus.start('self')
    const seen: string[] = []
    self.subscribe('first', async () => {
      await setImmediate()
      self.broadcastNowait('second')
    })
    self.subscribe('second', async () => {
      await setImmediate()
      seen.push('second')
    })
    self.broadcastNowait('first')
    await self.close()
    expect(seen).to.deep.equal(['second'])
  })

  it('tells peers that it wants nothing more, and waits for what they had for it by then (G6, G12)', async () => {
    const self = await bus.start('self')
    const got: unknown[] = []
    const raw = await connectPeer(self)
    await Promise.all([
      self.subscribe('tick', ({ payload }) => got.push(payload)).ready,
      self.respond('ask', () => 1).ready,
    ])
    raw.acknowledges = false
    const closing = self.close({ timeout: Number.POSITIVE_INFINITY })
    const first = await raw.hears('unsubscribe')
    expect(first.isLast).to.equal(false)
    raw.say({ kind: 'acknowledge', sequence: first.sequence })
    await until(() => raw.heardOf('unsubscribe').length > 1)
    const last = raw.heardOf('unsubscribe').at(-1)
    expect(first.interests).to.have.deep.members([{ type: 'tick' }, { type: 'ask', responds: true }].map(withAll))
    expect(last).to.deep.include({ interests: [], isLast: true })
    raw.say({ kind: 'acknowledge', sequence: last?.sequence ?? 0, isComplete: false })
    raw.say({ kind: 'event', type: 'tick', payload: 1 })
    await until(() => got.length === 1)
    for (let count = 0; count < 10; count++) await turn()
    expect(raw.heardOf('goodbye')).to.deep.equal([])
    raw.say(
      { kind: 'event', type: 'tick', payload: 2 },
      { kind: 'acknowledge', sequence: last?.sequence ?? 0, isComplete: true },
    )
    await raw.hears('goodbye')
    raw.end()
    await closing
    expect(got).to.deep.equal([1, 2])
    expect(raw.heardOf('credit').reduce((sum, { events }) => sum + events, 0)).to.equal(2)
  })

  it('waits no longer than patience for a peer that falls silent after it has said that there is more', async () => {
    const self = await bus.start('self', { limits: { patience: 20 } })
    const raw = await connectPeer(self)
    await self.subscribe('tick', () => {}).ready
    raw.acknowledges = false
    const closing = self.close({ timeout: Number.POSITIVE_INFINITY })
    raw.say({ kind: 'acknowledge', sequence: (await raw.hears('unsubscribe')).sequence })
    await until(() => raw.heardOf('unsubscribe').length > 1)
    raw.say({ kind: 'acknowledge', sequence: raw.heardOf('unsubscribe').at(-1)?.sequence ?? 0, isComplete: false })
    await raw.hears('goodbye')
    raw.end()
    await closing
  })

  it('counts own events once, and never changes the counts of its error afterwards', async () => {
    const self = await bus.start('self')
    const held = new HeldHandler()
    self.subscribe(Job, held.handle)
    for (const number of numbers(16)) self.broadcastNowait(Job, number)
    const error = await rejection(self.close({ timeout: 0 }))
    if (!(error instanceof CloseTimeout)) throw error
    const counts = () => [error.undelivered.get('self') ?? 0, error.unhandled.get('job') ?? 0]
    const before = counts()
    expect(before.reduce((sum, count) => sum + count)).to.equal(16)
    for (let count = 0; count < 10; count++) await turn()
    expect(counts()).to.deep.equal(before)
  })

  it('does not wait for more from a peer that acknowledges as versions before 0.2 did', async () => {
    const self = await bus.start('self')
    const raw = await connectPeer(self)
    await self.subscribe('tick', () => {}).ready
    raw.acknowledges = false
    const closing = self.close({ timeout: Number.POSITIVE_INFINITY })
    for (const count of [1, 2]) {
      await until(() => raw.heardOf('unsubscribe').length === count)
      raw.say({ kind: 'acknowledge', sequence: raw.heardOf('unsubscribe').at(-1)?.sequence ?? 0 })
    }
    await raw.hears('goodbye')
    raw.end()
    await closing
  })

  /** Closes while a member that has acknowledged its event reads nothing for longer than the patience, and then goes on. */
  const closeUnread = async (self: Endpoint, member: RawPeer) => {
    await member.sendAll(encoded({ kind: 'credit', bytes: 1000, events: 1 }))
    member.socket.pause()
    const closing = self.close({ timeout: Number.POSITIVE_INFINITY })
    // Long enough for a close that would not wait, and for the goodbye to be among what the member reads.
    await passed(20)
    member.socket.resume()
    await closing
  }

  it('waits for a member that has acknowledged a queue event and may still return it (G5)', async () => {
    const self = await bus.start('self', { limits: { patience: 1 } })
    const reports = reportsOf(self)
    const member = await connectPeer(self)
    await member.want({ type: 'job', queue: 'workers' })
    self.broadcastNowait(Job, 7)
    const job = await member.hears('assign')
    member.lastWords = [
      { ...job, kind: 'return' },
      { kind: 'goodbye', reason: 'left', text: '' },
    ]
    await closeUnread(self, member)
    expect(codesOf(reports)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS'])
  })

  it('hears of a queue event that is returned after the first record of a shape, which it reads no more (G5)', async () => {
    const self = await bus.start('self', { limits: { patience: 1 } })
    const reports = reportsOf(self)
    const member = await connectPeer(self, { bigints: true, records: true })
    await member.want({ type: 'job', queue: 'workers' })
    self.broadcastNowait(Job, 7)
    const job = await member.hears('assign')
    member.socket.on('data', () => {
      if (member.goodbye !== 'left') return
      member.say({ kind: 'shape', keys: ['id', 'price'] })
      member.sayBytes(hexFrame('9305a56f72646572 c1000763'))
      member.say({ ...job, kind: 'return' }, { kind: 'goodbye', reason: 'left', text: '' })
    })
    await closeUnread(self, member)
    expect(codesOf(reports)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS'])
  })

  it('counts a queue event that comes when nothing is begun any more (G5, G12)', async () => {
    const self = await bus.start('self', { limits: { patience: 1 } })
    const raw = await connectPeer(self, { window: 1 })
    await raw.want({ type: 'tick' })
    await self.subscribe(Job, () => {}, { queue: 'workers' }).ready
    // The second waits for credit, and keeps the link up.
    for (const number of [1, 2]) self.broadcastNowait('tick', number)
    raw.acknowledges = false
    const closing = rejection(self.close({ timeout: Number.POSITIVE_INFINITY }))
    await passed(20)
    raw.say({ kind: 'assign', queue: 'workers', type: 'job', isFixed: true, payload: 7 })
    raw.say({ kind: 'credit', bytes: 1000, events: 1 })
    await raw.hears('goodbye')
    raw.end()
    expect(await closing).to.deep.include({ unhandled: new Map([['job', 1]]) })
  })

  it('tells a leaving peer when all its events have been sent', async () => {
    const self = await bus.start('self')
    const raw = await connectPeer(self, { window: 10_000 })
    await raw.want({ type: 'tick' })
    for (const _ of numbers(3)) self.broadcastNowait('tick', Buffer.alloc(10_000))
    await raw.hears('event')
    raw.say({ kind: 'unsubscribe', sequence: 2, interests: [{ type: 'tick' }], isLast: true })
    await until(() => raw.heardOf('acknowledge').length === 2)
    expect(raw.heardOf('acknowledge').at(-1)).to.deep.equal({ kind: 'acknowledge', sequence: 2, isComplete: false })
    for (const events of [2, 3]) {
      raw.say({ kind: 'credit', bytes: 11_000, events: 1 })
      await until(() => raw.heardOf('event').length === events)
    }
    await until(() => raw.heard.length > 0 && raw.heard.at(-1)?.kind === 'acknowledge')
    expect(raw.heardOf('acknowledge').at(-1)).to.deep.equal({ kind: 'acknowledge', sequence: 2, isComplete: true })
    const left = once(self, 'left')
    raw.say({ kind: 'goodbye', reason: 'left', text: '' })
    expect((await left)[1]).to.deep.equal({ unfinished: 0, unfinishedEvents: [], unhandled: 1 })
  })

  it('gives up a silent peer that is owed no event after patience, without an error', async () => {
    const self = await bus.start('self', { limits: { patience: 20 } })
    const raw = await connectPeer(self)
    raw.pause()
    await self.close({ timeout: Number.POSITIVE_INFINITY })
    expect(self.peers).to.deep.equal([])
  })

  it('gives up a silent peer after patience that has read the events returned to it (G5, G12)', async () => {
    const self = await bus.start('self', { limits: { patience: 20 } })
    const raw = await connectPeer(self)
    const held = new HeldHandler()
    const subscription = self.subscribe(Job, held.handle, { queue: 'workers' })
    await subscription.ready
    for (const payload of numbers(3))
      raw.say({ kind: 'assign', queue: 'workers', type: 'job', isFixed: false, payload })
    await until(() => subscription.pending === 3)
    subscription.unsubscribe()
    held.release()
    await until(() => raw.heardOf('return').length === 2)
    expect(await self.subscribe('later', () => {}).ready).to.deep.equal([])
    raw.pause()
    await self.close({ timeout: Number.POSITIVE_INFINITY })
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

  it('leaves unread events of a stream to be read afterwards', async () => {
    const self = await bus.start('self')
    const stream = self.stream(Job)
    for (const number of numbers(3)) self.broadcastNowait(Job, number)
    expect(await rejection(self.close({ timeout: 20 }))).to.have.deep.property('unhandled', new Map([['job', 3]]))
    const read: number[] = []
    for await (const { payload } of stream) read.push(payload)
    expect(read).to.deep.equal(numbers(3))
  })

  it('lets a queue member report the events that it can no longer return to the closed sender (G5)', async () => {
    const { sender, member } = await bus.startAll('sender', 'member')
    const reports = reportsOf(member)
    const held = new HeldHandler()
    const subscription = member.subscribe(Job, held.handle, DEALT)
    await subscription.ready
    for (const number of numbers(5)) await sender.broadcast(Job, number)
    await until(() => held.begun.length === 1)
    await sender.close()
    await until(() => member.peers.length === 0)
    subscription.unsubscribe()
    expect(codesOf(reports)).to.deep.equal(Array(4).fill('LAHJA_NO_SUBSCRIBERS'))
    held.release()
  })

  it('leaves what members of a queue have in hand to them', async () => {
    const { sender, member } = await bus.startAll('sender', 'member')
    const held = new HeldHandler()
    await member.subscribe(Job, held.handle, { queue: 'workers', prefetch: 4 }).ready
    for (const number of numbers(5)) await sender.broadcast(Job, number)
    await until(() => held.begun.length === 1)
    await sender.close()
    held.release()
    await until(() => held.ended.length === 5)
    expect(held.ended).to.deep.equal(numbers(5))
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
    held.releaseOne()
    await closed
    expect(held.begun).to.deep.equal([0])
  }).timeout(5000)
})
