import { once } from 'node:events'
import { expect } from 'chai'
import { defineEvent, type Endpoint, NoSubscribers, type SubscribeOptions } from '../../src'
import type { Hello } from '../../src/wire/message'
import { arrived } from '../support/arrived'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { allOf, DEALT, join, joinHeld, leavesOf, type Member, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { Watched } from '../support/watched'
import { turn } from '../support/workbench'

const Job = defineEvent<number>('job')
const LOAD = 2000

/** An assignment that any member of the queue may handle. */
const HELD = { queue: 'workers', type: 'job', isFixed: false } as const

describe('A queue member that leaves', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  /** A bare peer in the queue. */
  async function bareMember(endpoint: Endpoint, hello?: Partial<Hello>) {
    const peer = await connectPeer(endpoint, hello)
    await peer.want({ type: 'job', queue: 'workers' })
    return peer
  }

  /** Three endpoints besides the sender, each with a slow member and events in flight. */
  async function beginLoad(queue: SubscribeOptions) {
    const { a, b, c, d } = await bus.startAll('a', 'b', 'c', 'd')
    const reports = [a, b, c, d].map((each) => reportsOf(each))
    const members = await Promise.all([b, c, d].map((each) => join(each, 'job', queue, turn)))
    const sent = (async () => {
      for (const n of numbers(LOAD)) await a.broadcast(Job, n)
    })()
    await until(() => members.every(({ got }) => got.length > 20))
    return { a, b, c, d, members, sent, reports }
  }

  async function expectAllOnce(members: Member[], reports: readonly unknown[][]): Promise<void> {
    await until(() => allOf(...members).length >= LOAD || reports.flat().length > 0)
    expect(reports.flat()).to.deep.equal([])
    expect(allOf(...members)).to.deep.equal(numbers(LOAD))
  }

  it('handles its own events that no other member takes', async () => {
    const { a, b } = await bus.startEach({ a: {}, b: { limits: { frameBytes: 4096 } } })
    const held = new HeldHandler()
    await a.subscribe('large', held.handle, { queue: 'workers' }).ready
    await b.subscribe('large', () => {}, { queue: 'workers' }).ready
    const payloads = numbers(3).map((number) => `${number}`.padEnd(5000))
    for (const payload of payloads) a.broadcastNowait('large', payload)
    await until(() => held.begun.length === 1)
    const closing = a.close({ timeout: 20_000 })
    held.release()
    await closing
    expect(held.ended).to.deep.equal(payloads)
  })

  it('leaves queue events that it was not sent yet as unfinished too', async () => {
    const a = await bus.start('a')
    const b = await bus.start('b', { limits: { windowBytes: 1 } })
    await b.waitUntilConnectedTo('a')
    const held = new HeldHandler()
    await b.subscribe(Job, held.handle, DEALT).ready
    for (const number of numbers(5)) a.broadcastNowait(Job, number)
    await until(() => held.begun.length === 1)
    const left = once(a, 'left')
    await rejection(b.close({ timeout: 100 }))
    expect((await left)[1]).to.deep.equal({ unfinished: 5, unfinishedEvents: [], unhandled: 0 })
  })

  it('gives what it has not begun by then to a member that has joined meanwhile, and does not count it (G5, G12)', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const held = new HeldHandler()
    await b.subscribe(Job, held.handle, DEALT).ready
    for (const number of numbers(5)) a.broadcastNowait(Job, number)
    await until(() => held.begun.length === 1)
    const left = once(a, 'left')
    const closing = rejection(b.close({ timeout: 2000 }))
    const c = await bus.start('c')
    const got: unknown[] = []
    await c.subscribe(Job, ({ payload }) => void got.push(payload), { queue: 'workers' }).ready
    await until(() => got.length === 4)
    expect(await closing).to.have.deep.property('unhandled', new Map([['job', 1]]))
    expect((await left)[1]).to.deep.equal({ unfinished: 1, unfinishedEvents: [], unhandled: 0 })
    expect([held.begun, got]).to.deep.equal([[0], [1, 2, 3, 4]])
  })

  for (const [kind, queue] of Object.entries({
    'that is dealt events': DEALT,
    'with prefetch': { queue: 'workers' },
  })) {
    describe(`${kind},`, () => {
      for (const [order, closing] of Object.entries({
        'after its sender': ['a', 'b', 'c'],
        'before its sender': ['b', 'c', 'a'],
        'as the only one, after its sender': ['a', 'b'],
        'as the only one, before its sender': ['b', 'a'],
      })) {
        for (const isTogether of [false, true]) {
          const when = isTogether ? `together, ${order}` : order
          it(`by closing ${when}, handles what nobody else can, once`, async () => {
            const endpoints = await bus.startAll('a', 'b', 'c')
            const reports = Object.values(endpoints).map((each) => reportsOf(each))
            const workers = closing.filter((name) => name !== 'a').map((name) => endpoints[name === 'b' ? 'b' : 'c'])
            const members = await Promise.all(workers.map((each) => join(each, 'job', queue, turn)))
            for (const n of numbers(200)) endpoints.a.broadcastNowait(Job, n)
            await until(() => members.every(({ got }) => got.length > 1))
            const all = closing.map(
              (name) => () => endpoints[name === 'a' ? 'a' : name === 'b' ? 'b' : 'c'].close({ timeout: 20_000 }),
            )
            if (isTogether) await Promise.all(all.map((close) => close()))
            else for (const close of all) await close()
            expect([...new Set(reports.flat())]).to.deep.equal([])
            expect(allOf(...members)).to.deep.equal(numbers(200))
          })
        }
      }

      it('by unsubscribing under load causes no loss and no duplicate', async () => {
        const { members, sent, reports } = await beginLoad(queue)
        members[0]?.subscription.unsubscribe()
        const had = members[0]?.got.length
        await sent
        await expectAllOnce(members, reports)
        expect(members[0]?.got).to.have.length(Number(had))
      })

      it('and rejoins repeatedly under load causes no loss and no duplicate', async () => {
        const { b, members, sent, reports } = await beginLoad(queue)
        for (let round = 0; round < 10; round++) {
          members.at(round === 0 ? 0 : -1)?.subscription.unsubscribe()
          const again = await join(b, 'job', queue, turn)
          members.push(again)
          await until(() => again.got.length > 2 || allOf(...members).length === LOAD)
        }
        await sent
        await expectAllOnce(members, reports)
      })

      it('by closing its endpoint under load finishes running handlers, and causes no loss and no duplicate', async () => {
        const { a, b, members, sent, reports } = await beginLoad(queue)
        const left = leavesOf(a)
        await b.close()
        const had = members[0]?.got.length
        await sent
        await until(() => left.length === 1)
        expect(left).to.deep.equal([['b', 0]])
        await expectAllOnce(members, reports)
        expect(members[0]?.got).to.have.length(Number(had))
      })

      it('by closing its idle endpoint while events are in flight to it causes no loss', async () => {
        const { a, b, c } = await bus.startAll('a', 'b', 'c')
        const reports = [a, b, c].map((each) => reportsOf(each))
        const members = [await join(b, 'job', queue), await join(c, 'job', queue)]
        const left = leavesOf(a)
        for (const n of numbers(LOAD)) a.broadcastNowait(Job, n)
        await b.close()
        await until(() => left.length === 1)
        expect(left).to.deep.equal([['b', 0]])
        await expectAllOnce(members, reports)
      })

      it('hands waiting events to another member at its own endpoint, if there is one', async () => {
        const { a, b } = await bus.startAll('a', 'b')
        const reports = reportsOf(a)
        const [held, other] = [new HeldHandler(), new HeldHandler()]
        const leaving = await join(b, 'job', queue, held.handle)
        await join(b, 'job', queue, other.handle)
        for (const n of numbers(10)) await a.broadcast(Job, n)
        await until(() => held.begun.length + other.begun.length === 2)
        await arrived(a, b)
        leaving.subscription.unsubscribe()
        other.release()
        await until(() => other.ended.length === 9)
        held.release()
        await until(() => held.ended.length === 1)
        expect([...held.ended, ...other.ended].sort()).to.deep.equal(numbers(10))
        expect(reports).to.deep.equal([])
      })
    })
  }

  it('by closing after its sender is a process warning once a second, and an error for each event to those who listen', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => {
      if ('code' in warning && warning.code === 'LAHJA_NO_SUBSCRIBERS') warnings.push(warning)
    }
    process.on('warning', note)
    try {
      for (const isHeard of [false, true]) {
        const { a, b } = await bus.startEach({ a: {}, b: {} })
        const reports = isHeard ? reportsOf(b) : []
        const { held } = await joinHeld(b)
        for (const n of numbers(LOAD)) await a.broadcast(Job, n)
        await until(() => held.begun.length > 0)
        await a.close()
        await rejection(b.close({ timeout: 20 }))
        await turn()
        if (isHeard) expect(reports.filter((error) => error instanceof NoSubscribers)).to.have.length.above(1000)
      }
      expect(warnings.length).to.be.within(1, 3)
      expect(warnings.at(-1)?.message).to.match(/\(and 1\d\d\d more like it within a second\)$/)
    } finally {
      process.off('warning', note)
    }
  })

  it('by closing its endpoint waits for running handlers and settles their events', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const { held } = await joinHeld(b, 2)
    const left = leavesOf(a)
    for (const n of numbers(4)) await a.broadcast(Job, n)
    await until(() => held.begun.length === 2)
    const heir = await join(c, 'job')
    const closed = new Watched(b.close())
    await until(() => heir.got.length === 2)
    expect(heir.got).to.deep.equal([2, 3])
    expect(closed.isDone).to.equal(false)
    expect(b.isConnectedTo('a')).to.equal(true)
    held.release()
    await closed.done
    expect(held.ended).to.deep.equal([0, 1])
    await until(() => left.length === 1)
    expect(left).to.deep.equal([['b', 0]])
  })

  it('whose handlers do not finish before the timeout of close is reported with unfinished events', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const { held } = await joinHeld(b, 2)
    const left = leavesOf(a)
    for (const n of numbers(2)) await a.broadcast(Job, n)
    await until(() => held.begun.length === 2)
    const timeout = await rejection(b.close({ timeout: 20 }))
    expect(timeout).to.deep.include({ undelivered: new Map(), unhandled: new Map([['job', 2]]) })
    await until(() => left.length === 1)
    expect(left).to.deep.equal([['b', 2]])
  })

  it('as the last one has each of its events reported as NoSubscribers', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(a)
    const { held, ...member } = await joinHeld(b)
    for (const n of numbers(4)) await a.broadcast(Job, n)
    await until(() => held.begun.length === 1)
    await arrived(a, b)
    member.subscription.unsubscribe()
    await until(() => reports.length === 3)
    expect(new Set(codesOf(reports))).to.deep.equal(new Set(['LAHJA_NO_SUBSCRIBERS']))
    expect(reports[0]).to.be.instanceOf(NoSubscribers)
    expect(reports[0]?.message).to.contain('job').and.contain('workers').and.contain('b left the queue')
    held.release()
    await arrived(a, b)
    expect(held.begun).to.deep.equal([0])
    expect(reports).to.have.length(3)
  })

  it('as the last one has each event that was not sent to it yet reported, with the event', async () => {
    const a = await bus.start('a')
    const reports = reportsOf(a)
    const member = await bareMember(a, { window: 1 })
    for (const n of numbers(4)) await a.broadcast(Job, n)
    await until(() => member.heardOf('assign').length === 1)
    member.waive({ type: 'job', queue: 'workers' })
    await until(() => reports.length > 0)
    expect(reports.map((error) => error instanceof NoSubscribers && error.event)).to.deep.equal(
      [1, 2, 3].map((payload) => ({ type: 'job', payload, origin: 'a', headers: {} })),
    )
  })

  it('as the last one, at the sender itself, has its events reported too', async () => {
    const a = await bus.start('a')
    const reports = reportsOf(a)
    const { held, ...member } = await joinHeld(a)
    for (const n of numbers(3)) await a.broadcast(Job, n)
    await until(() => held.begun.length === 1)
    await arrived(a, a)
    member.subscription.unsubscribe()
    await until(() => reports.length === 2)
    expect(codesOf(reports)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS', 'LAHJA_NO_SUBSCRIBERS'])
    held.release()
  })

  it('has events addressed only to its endpoint reported instead of given to others', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const reports = reportsOf(a)
    const { held, ...leaving } = await joinHeld(b)
    const other = await join(c, 'job')
    for (const n of numbers(2)) await a.broadcast(Job, n, { to: 'b' })
    await until(() => held.begun.length === 1)
    await arrived(a, b)
    leaving.subscription.unsubscribe()
    await until(() => reports.length === 1)
    expect(codesOf(reports)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS'])
    await a.broadcast(Job, 7)
    await until(() => other.got.length === 1)
    expect(other.got).to.deep.equal([7])
    held.release()
  })

  for (const [what, message, answer] of [
    ['an event', { kind: 'assign', queue: 'workers', type: 'job', isFixed: false, payload: 1 }, 'return'],
    ['a request', { kind: 'request', id: 7, type: 'ask', payload: 1 }, 'decline'],
  ] as const) {
    it(`by closing its endpoint gives back ${what} sent before the sender knew`, async () => {
      const b = await bus.start('b')
      await join(b, 'job')
      b.respond('ask', () => 'never')
      const other = await bareMember(b, { name: 'other', id: '000000000zzz9' })
      other.acknowledges = true
      const peer = await connectPeer(b)
      await until(() => peer.heardOf('subscribe').length === 1)
      peer.acknowledges = false
      const closed = b.close()
      await until(() => peer.heardOf('unsubscribe').length >= 1)
      for (let round = 1; round <= 50 && peer.heardOf('goodbye').length === 0; round++) {
        peer.say({ kind: 'ping' })
        await until(() => peer.heardOf('pong').length === round || peer.isClosed)
      }
      peer.say(message)
      peer.acknowledges = true
      for (const { sequence } of peer.heardOf('unsubscribe')) peer.say({ kind: 'acknowledge', sequence })
      await closed
      await until(() => peer.isClosed)
      expect(peer.heard.map(({ kind }) => kind).filter((kind) => kind === answer || kind === 'goodbye')).to.deep.equal([
        answer,
        'goodbye',
      ])
    })
  }

  it('leaves unsent events to other members', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(a)
    const peer = await bareMember(a)
    peer.pause()
    const bulk = Buffer.alloc(100_000)
    for (const n of numbers(40)) a.broadcastNowait('job', { n, bulk })
    const got: unknown[] = []
    await b.subscribe('job', ({ payload }) => got.push(Reflect.get(Object(payload), 'n')), { queue: 'workers' }).ready
    peer.waive({ type: 'job', queue: 'workers' })
    await until(() => got.length > 0)
    peer.resume()
    const given = () => peer.heardOf('assign').map(({ payload }) => Reflect.get(Object(payload), 'n'))
    await until(() => got.length + given().length >= 40)
    await arrived(a, b)
    expect([...given(), ...got].map(Number).sort((one, other) => one - other)).to.deep.equal(numbers(40))
    expect(reports).to.deep.equal([])
  })

  it('by dying has its unfinished events counted, and later ones go to others', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const peer = await bareMember(a)
    const lost: unknown[] = []
    a.on('lost', ({ name }, { unfinished, undelivered }) => lost.push([name, unfinished, undelivered]))
    for (const n of numbers(5)) await a.broadcast(Job, n)
    await until(() => peer.heardOf('assign').length === 5)
    peer.say({ kind: 'settle', count: 2 })
    const heir = await join(b, 'job')
    peer.destroy()
    await until(() => lost.length === 1)
    expect(lost).to.deep.equal([['raw', 3, 0]])
    await a.broadcast(Job, 5)
    await until(() => heir.got.length === 1)
    expect(heir.got).to.deep.equal([5])
  })

  it('while its sender closes has returned events reported, not given to peers that got a goodbye (G5)', async () => {
    const a = await bus.start('a')
    const reports = reportsOf(a)
    const gone = await connectPeer(a, { name: 'gone', id: '000000000zzz1' })
    const slow = await connectPeer(a, { name: 'slow', id: '000000000zzz2', window: 1 })
    const witness = await connectPeer(a, { name: 'witness', id: '000000000zzz3' })
    for (const peer of [gone, slow]) await peer.want({ type: 'job', queue: 'workers' })
    for (const n of numbers(6)) a.broadcastNowait(Job, n)
    await until(() => gone.heardOf('assign').length === 3 && slow.heardOf('assign').length === 1)
    gone.pause()
    const closing = a.close({ timeout: Number.POSITIVE_INFINITY })
    await until(() => witness.heardOf('goodbye').length === 1)
    slow.waive({ type: 'job', queue: 'workers' })
    await until(() => reports.length > 0)
    for (const peer of [gone, slow, witness]) peer.destroy()
    await closing
    const [first] = slow.heardOf('assign').map(({ payload }) => payload)
    const rest = numbers(6).filter((n) => n % 2 === Number(first) % 2 && n !== first)
    expect(reports.map((error) => error instanceof NoSubscribers && error.event?.payload)).to.deep.equal(rest)
  })

  it('returns events that cross the goodbye of their sender, which reports them (G5)', async () => {
    const a = await bus.start('a')
    const reports = reportsOf(a)
    const peer = await bareMember(a)
    await a.broadcast(Job, 1)
    await until(() => peer.heardOf('assign').length === 1)
    peer.lastWords = [
      { kind: 'event', type: 'late', payload: 1 },
      { kind: 'return', ...HELD, payload: 1 },
      { kind: 'goodbye', reason: 'left', text: 'so do I' },
    ]
    await a.close()
    expect(codesOf(reports)).to.deep.equal(['LAHJA_NO_SUBSCRIBERS'])
    expect(reports[0]?.message).to.contain('job').and.contain('workers')
  })

  for (const reason of ['left', 'closing']) {
    it(`whose goodbye with reason ${reason} crosses that of its sender has its unsettled events counted as unfinished (G5)`, async () => {
      const a = await bus.start('a')
      const peer = await bareMember(a)
      const left = leavesOf(a)
      for (const n of numbers(3)) await a.broadcast(Job, n)
      await until(() => peer.heardOf('assign').length === 3)
      peer.lastWords = [
        { kind: 'settle', count: 1 },
        { kind: 'goodbye', reason, text: 'so do I' },
      ]
      await a.close()
      expect(left).to.deep.equal([['raw', 2]])
    })
  }

  it('returns events even if the goodbye of their sender arrives right behind them (G5)', async () => {
    const b = await bus.start('b')
    const { held, ...member } = await joinHeld(b)
    await b.subscribe('leave', () => member.subscription.unsubscribe()).ready
    const peer = await connectPeer(b)
    peer.say(
      { kind: 'assign', ...HELD, payload: 1 },
      { kind: 'assign', ...HELD, payload: 2 },
      { kind: 'event', type: 'leave', payload: undefined },
      { kind: 'goodbye', reason: 'left', text: 'done' },
    )
    await until(() => peer.isClosed)
    expect(peer.heardOf('return').map(({ payload }) => payload)).to.deep.equal([2])
    held.release()
  })
})
