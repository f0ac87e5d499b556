import { once } from 'node:events'
import { expect } from 'chai'
import { defineEvent, type Endpoint } from '../../src'
import { MAX_DEPTH } from '../../src/wire/packed-value'
import { freshBus, until } from '../support/bus'
import { encoded, frameAround } from '../support/frame-bytes'
import { HeldHandler } from '../support/held-handler'
import { allOf, DEALT, join, joinHeld, type Member, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { rejection, rejectionCode } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'

const Job = defineEvent<number>('job')

describe('A work queue', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  /** Broadcasts 0 to count - 1, each when the members have received the one before, in so many queues. */
  async function oneByOne(sender: Endpoint, count: number, members: readonly Member[], queues = 1): Promise<void> {
    for (const n of numbers(count)) {
      await sender.broadcast(Job, n)
      await until(() => allOf(...members).length === queues * (n + 1))
    }
  }

  for (const [what, options, fewest] of [
    ['gives each event to exactly one member, and keeps the order at each', { queue: 'workers' }, 1],
    ['deals each event to exactly one member, in order, and as many to each', DEALT, 90],
  ] as const) {
    it(what, async () => {
      const { a, b, c, d } = await bus.startAll('a', 'b', 'c', 'd')
      const members = await Promise.all([b, c, d].map((each) => join(each, 'job', options)))
      const counts = new Set<number>()
      for (const n of numbers(300)) counts.add(await a.broadcast(Job, n))
      await until(() => allOf(...members).length >= 300)
      expect(allOf(...members)).to.deep.equal(numbers(300))
      expect([...counts]).to.deep.equal([1])
      for (const { got } of members) {
        expect(got).to.deep.equal([...got].sort((one, other) => Number(one) - Number(other)))
        expect(got).to.have.length.at.least(fewest)
      }
    })
  }

  it('gives equally busy members equally many events', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const members = await Promise.all([b, c].map((each) => join(each, 'job')))
    await oneByOne(a, 100, [...members])
    expect(members.map(({ got }) => got.length)).to.deep.equal([50, 50])
  })

  it('gives its members equally many events, also next to a second queue of the same events', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const first = await Promise.all([b, c].map((each) => join(each, 'job', { queue: 'first' })))
    const second = await Promise.all([b, c].map((each) => join(each, 'job', { queue: 'second' })))
    await oneByOne(a, 100, [...first, ...second], 2)
    expect(allOf(...first)).to.deep.equal(numbers(100))
    expect(allOf(...second)).to.deep.equal(numbers(100))
    for (const { got } of [...first, ...second]) expect(got).to.have.length.within(30, 70)
  })

  it('gives the members of one endpoint equally many events, also next to a second queue of the same events', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const first = [await join(b, 'job', { queue: 'first' }), await join(b, 'job', { queue: 'first' })]
    const second = [await join(b, 'job', { queue: 'second' }), await join(b, 'job', { queue: 'second' })]
    await oneByOne(a, 100, [...first, ...second], 2)
    for (const { got } of [...first, ...second]) expect(got).to.have.length.within(30, 70)
  })

  it('gives the next event to the member with the fewest in flight', async () => {
    const { a, slow, quick } = await bus.startAll('a', 'slow', 'quick')
    const { held, ...at } = await joinHeld(slow)
    const free = await join(quick, 'job')
    for (const n of numbers(3)) await a.broadcast(Job, n, { to: 'slow' })
    for (const n of numbers(50)) {
      await a.broadcast(Job, 3 + n)
      await until(() => free.got.length === n + 1)
    }
    held.release()
    await until(() => allOf(at, free).length === 53)
    expect(at.got).to.deep.equal([0, 1, 2])
  })

  it('does not take events from plain subscribers', async () => {
    const { a, b, c, d } = await bus.startAll('a', 'b', 'c', 'd')
    const members = [await join(b, 'job'), await join(c, 'job')]
    const plain = [await join(d, 'job', {}), await join(a, 'job', {})]
    const counts = new Set<number>()
    for (const n of numbers(20)) counts.add(await a.broadcast(Job, n))
    await until(() => allOf(...members, ...plain).length >= 60)
    expect(allOf(...members)).to.deep.equal(numbers(20))
    for (const { got } of plain) expect(got).to.deep.equal(numbers(20))
    expect([...counts]).to.deep.equal([3])
  })

  for (const [what, options, receivers] of [
    ['count as two receivers, as any member may get it', { queue: 'workers' }, 2],
    ['count as one endpoint if events are dealt to the member', DEALT, 1],
  ] as const) {
    it(`and a plain subscription at one endpoint both receive the event, and ${what}`, async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const member = await join(b, 'job', options)
      const plain = await join(b, 'job', {})
      const counts = new Set<number>()
      for (const n of numbers(20)) counts.add(await a.broadcast(Job, n))
      await until(() => allOf(member, plain).length >= 40)
      expect(member.got).to.deep.equal(numbers(20))
      expect(plain.got).to.deep.equal(numbers(20))
      expect([...counts]).to.deep.equal([receivers])
    })
  }

  it('receives all events independently of a queue with another name', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const mailers = [await join(b, 'job', { queue: 'mailers' }), await join(c, 'job', { queue: 'mailers' })]
    const printers = [await join(c, 'job', { queue: 'printers' })]
    for (const n of numbers(20)) await a.broadcast(Job, n)
    await until(() => allOf(...mailers, ...printers).length >= 40)
    expect(allOf(...mailers)).to.deep.equal(numbers(20))
    expect(allOf(...printers)).to.deep.equal(numbers(20))
  })

  it('weighs an endpoint by the number of its members', async () => {
    const { a, one, two } = await bus.startAll('a', 'one', 'two')
    const { held, ...single } = await joinHeld(one, 100)
    const pair = [
      await join(two, 'job', { ...DEALT, concurrency: 100 }, held.handle),
      await join(two, 'job', { ...DEALT, concurrency: 100 }, held.handle),
    ]
    for (const n of numbers(30)) a.broadcastNowait(Job, n)
    await until(() => held.begun.length === 30)
    expect([single, ...pair].map(({ got }) => got.length)).to.deep.equal([10, 10, 10])
    held.release()
    pair[0]?.subscription.unsubscribe()
    await until(() => held.ended.length === 30)
  })

  it("treats the sender's own members like any others", async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const members = [await join(a, 'job'), await join(b, 'job')]
    await oneByOne(a, 100, [...members])
    expect(allOf(...members)).to.deep.equal(numbers(100))
    expect(members.map(({ got }) => got.length)).to.deep.equal([50, 50])
  })

  it('with the sender as its only member delivers every event, after the call has returned', async () => {
    const a = await bus.start('a')
    const member = await join(a, 'job')
    expect(a.broadcastNowait(Job, 0)).to.equal(true)
    expect(member.got).to.deep.equal([])
    expect(await a.broadcast(Job, 1)).to.equal(1)
    await until(() => member.got.length === 2)
    expect(member.got).to.deep.equal([0, 1])
  })

  it('chooses among the members that to, except and internal allow', async () => {
    const blue = { groups: ['blue'] }
    const { a, b, c } = await bus.startEach({ a: {}, b: blue, c: blue })
    const members = [await join(a, 'job'), await join(b, 'job'), await join(c, 'job')]
    for (let round = 0; round < 6; round++) {
      await a.broadcast(Job, 1, { to: 'b' })
      await a.broadcast(Job, 2, { except: ['a', 'b'] })
      await a.broadcast(Job, 3, { internal: true })
      await a.broadcast(Job, 4, { to: { group: 'blue' }, except: 'b' })
    }
    expect(await a.broadcast(Job, 5, { to: 'nobody' })).to.equal(0)
    expect(await rejectionCode(a.broadcast(Job, 5, { to: 'nobody', requireSubscriber: true }))).to.equal(
      'LAHJA_NO_SUBSCRIBERS',
    )
    await until(() => allOf(...members).length === 24)
    const counts = members.map(({ got }) =>
      numbers(6)
        .map((n) => got.filter((each) => each === n).length)
        .join(),
    )
    expect(counts).to.deep.equal(['0,0,0,6,0,0', '0,6,0,0,0,0', '0,0,6,0,6,0'])
  })

  it('has members by type and by pattern, and gives an event that matches several to one of them', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const members = [
      await join(b, 'job.new'),
      await join(b, 'job.*'),
      await join(c, 'job.>'),
      await join(c, '*.new', { queue: 'workers' }),
    ]
    for (const n of numbers(100)) await a.broadcast('job.new', n)
    await until(() => allOf(...members).length >= 100)
    for (const n of [100, 101]) await a.broadcast('job.old', n)
    await a.broadcast('task.new', 102)
    await until(() => allOf(...members).length >= 103)
    expect(allOf(...members)).to.deep.equal(numbers(103))
    expect(members[3]?.got).to.include(102)
  })

  it('handles as many events at a time at each member as its concurrency', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const [one, three] = [new HeldHandler(), new HeldHandler()]
    await join(b, 'job', { queue: 'workers' }, one.handle)
    await join(c, 'job', { queue: 'workers', concurrency: 3 }, three.handle)
    for (const n of numbers(10)) a.broadcastNowait(Job, n)
    await until(() => one.begun.length + three.begun.length === 4)
    expect([one.begun.length, three.begun.length]).to.deep.equal([1, 3])
    one.release()
    three.release()
    await until(() => one.ended.length + three.ended.length === 10)
    expect([...one.ended, ...three.ended].sort()).to.deep.equal(numbers(10))
  })

  it('gives events only to members whose from allows the sender', async () => {
    const { a, b, c, d } = await bus.startAll('a', 'b', 'c', 'd')
    const picky = await join(c, 'job', { queue: 'workers', from: 'a' })
    const open = await join(d, 'job')
    for (const n of numbers(20)) {
      await b.broadcast(Job, 100 + n)
      await a.broadcast(Job, n)
    }
    await until(() => allOf(picky, open).length >= 40)
    expect(allOf(picky).every((n) => n < 100)).to.equal(true)
    expect(picky.got).to.have.length.above(0)
    expect(allOf(picky, open)).to.deep.equal([...numbers(20), ...numbers(20).map((n) => 100 + n)])
  })

  it('gives an event to the member of an endpoint whose from allows the sender', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const picky = await join(c, 'job', { queue: 'workers', from: 'a' })
    const open = await join(c, 'job')
    await oneByOne(b, 10, [picky, open])
    expect(picky.got).to.deep.equal([])
    for (const n of numbers(10)) await a.broadcast(Job, 10 + n)
    await until(() => allOf(picky, open).length === 20)
    expect(picky.got).to.have.length.above(0)
  })

  it('closes only the link of a member that returns an event that cannot have been sent', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const peer = await connectPeer(a)
    await peer.want({ type: 'job', queue: 'workers' })
    await a.broadcast(Job, 1)
    await until(() => peer.heardOf('assign').length === 1)
    const bytes = encoded({ kind: 'return', queue: 'workers', type: 'job', isFixed: false, payload: null })
    const tooDeep = Buffer.concat([Buffer.alloc(MAX_DEPTH + 1, 0x91), Buffer.from([0x90])])
    const reports = reportsOf(a)
    peer.sayBytes(frameAround(Buffer.concat([bytes.subarray(4, -1), tooDeep])))
    await until(() => peer.isClosed)
    expect(codesOf(reports)).to.deep.equal(['LAHJA_PROTOCOL_VIOLATION'])
    expect(peer.heardOf('goodbye').map(({ reason }) => reason)).to.deep.equal(['malformed'])
    expect(a.isConnectedTo(b.name)).to.equal(true)
  })

  it('counts nothing as unfinished for a member that settles more than it was given and dies', async () => {
    const a = await bus.start('a')
    const peer = await connectPeer(a, { window: 1 })
    await peer.want({ type: 'job', queue: 'workers' })
    for (const n of numbers(10)) a.broadcastNowait(Job, n)
    peer.say({ kind: 'settle', count: 100 })
    await until(() => peer.heardOf('assign').length === 1)
    const lost = once(a, 'lost')
    peer.say({ kind: 'ping' })
    await until(() => peer.heardOf('pong').length === 1)
    peer.destroy()
    const [, { unfinished, undelivered }] = await lost
    expect({ unfinished, undelivered }).to.deep.equal({ unfinished: 0, undelivered: 9 })
  })

  it('gives nobody an event that no member may have, and refuses its payload like any other', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    await b.subscribe('job', () => {}, { queue: 'workers' }).ready
    expect(await a.broadcast('job', { f: 1 }, { except: 'b' })).to.equal(0)
    expect(a.broadcastNowait('job', { f: 1 }, { internal: true })).to.equal(true)
    const required = a.broadcast('job', { f: 1 }, { to: 'nobody', requireSubscriber: true })
    expect(await rejectionCode(required)).to.equal('LAHJA_NO_SUBSCRIBERS')
    const refused = a.broadcast('job', { f: () => {} }, { except: 'b' })
    expect(await rejectionCode(refused)).to.equal('LAHJA_UNSERIALIZABLE_PAYLOAD')
  })

  for (const queue of ['', 'a b', 7, null]) {
    it(`throws InvalidArgument for the name ${JSON.stringify(queue)}`, async () => {
      const a = await bus.start('a')
      const options = Object.assign({ queue: 'workers' }, { queue })
      expect(await rejection(() => a.subscribe(Job, () => {}, options))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
    })
  }
})
