import { once } from 'node:events'
import { expect } from 'chai'
import { CloseTimeout, defineEvent, type Endpoint, type Event, type EventType } from '../../src'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { allOf, DEALT, join, type Member, numbers } from '../support/members'
import { rejection, rejectionCode } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { eventsOf } from '../support/work-queues-bench'

const Job = defineEvent<number>('job')

/** What waits at an endpoint in the queue `workers`. */
function waitingAt(endpoint: Endpoint): number {
  return endpoint.queues().find(({ name }) => name === 'workers')?.waiting ?? 0
}

function inHandAt(endpoint: Endpoint): number {
  return endpoint.queues().reduce((sum, { inHand }) => sum + inHand, 0)
}

/** Joins the queue `workers`. */
function work(
  endpoint: Endpoint,
  prefetch: number | 'auto',
  handle: (event: Event) => unknown = () => {},
  { type = 'job', ...options }: { type?: EventType; concurrency?: number; from?: string } = {},
): Promise<Member> {
  return join(endpoint, type, { queue: 'workers', prefetch, ...options }, handle)
}

/** Joins the queue `workers` with a handler whose calls the test ends. */
async function workHeld(endpoint: Endpoint, prefetch: number | 'auto', concurrency = 1) {
  const held = new HeldHandler()
  return { ...(await work(endpoint, prefetch, held.handle, { concurrency })), held }
}

describe('A queue with prefetch', () => {
  const bus = freshBus()

  function sendAll(sender: Endpoint, count: number, first = 0): void {
    for (const n of numbers(count)) sender.broadcastNowait(Job, first + n)
  }

  it('hands each event of a burst to exactly one member', async () => {
    const { a, b, c, d } = await bus.startAll('a', 'b', 'c', 'd')
    const members = await Promise.all([a, b, c, d].map((each, index) => work(each, index * 5)))
    sendAll(a, 2000)
    await until(() => allOf(...members).length >= 2000)
    expect(allOf(...members)).to.deep.equal(numbers(2000))
    for (const { got } of members) {
      expect(got).to.deep.equal([...got].sort((one, other) => Number(one) - Number(other)))
    }
    await until(() => inHandAt(a) === 0)
    expect(a.queues()).to.deep.equal([
      { name: 'workers', members: 4, inHand: 0, waiting: 0, returned: 0, redelivered: 0, dead: 0 },
    ])
  })

  for (const prefetch of [0, 1, 7]) {
    it(`hands a burst to the member that is free, and to a busy one only ${prefetch} ahead`, async () => {
      const { a, slow, quick } = await bus.startAll('a', 'slow', 'quick')
      const { held, ...busy } = await workHeld(slow, prefetch)
      const free = await work(quick, prefetch)
      sendAll(a, 100)
      await until(() => allOf(free).length === 99 - prefetch && inHandAt(a) === 1 + prefetch)
      expect([busy.got.length, busy.subscription.pending, waitingAt(a)]).to.deep.equal([1, 1 + prefetch, 0])
      held.release()
      await until(() => allOf(busy, free).length === 100)
      expect(allOf(busy, free)).to.deep.equal(numbers(100))
    })
  }

  it('hands what a held up member has taken ahead by itself to others, however much that is', async () => {
    const { a, slow, quick } = await bus.startAll('a', 'slow', 'quick')
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const begun: unknown[] = []
    const busy = await work(slow, 'auto', ({ payload }) => {
      begun.push(payload)
      return begun.length === 2000 ? held : undefined
    })
    sendAll(a, 2000)
    // While the last is being handled, many wait behind it.
    await until(() => begun.length === 2000)
    sendAll(a, 100, 2000)
    await until(() => inHandAt(a) > 50)
    const free = await work(quick, 'auto')
    await until(() => allOf(free).length === 100 && inHandAt(a) === 1)
    expect([begun.length, waitingAt(a)]).to.deep.equal([2000, 0])
    release()
    await until(() => inHandAt(a) === 0)
    expect(allOf(busy, free)).to.deep.equal(numbers(2100))
  })

  it('hands each sender as many events ahead as its concurrency and prefetch say', async () => {
    const { a, b, worker } = await bus.startAll('a', 'b', 'worker')
    const { held, subscription } = await workHeld(worker, 3, 2)
    sendAll(a, 50)
    sendAll(b, 50, 50)
    await until(() => inHandAt(a) === 5 && inHandAt(b) === 5 && subscription.pending === 10)
    expect([waitingAt(a), waitingAt(b), held.begun.length]).to.deep.equal([45, 45, 2])
    held.release()
    await until(() => held.ended.length === 100)
  })

  it('keeps what no member has room for, for one that joins later', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const { held, ...busy } = await workHeld(b, 0)
    sendAll(a, 20)
    await until(() => waitingAt(a) === 19)
    const late = await work(c, 2)
    await until(() => late.got.length === 19)
    expect(late.got).to.deep.equal(numbers(20).slice(1))
    held.release()
    expect(busy.got).to.deep.equal([0])
  })

  it('keeps what waits when all its members have left, for one that joins later', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const { held, subscription } = await workHeld(b, 4)
    sendAll(a, 20)
    await until(() => held.begun.length === 1)
    subscription.unsubscribe()
    await until(() => waitingAt(a) === 19)
    held.release()
    const late = await work(c, 0)
    await until(() => late.got.length === 19)
    expect(late.got).to.deep.equal(numbers(20).slice(1))
  })

  it('hands what waits to every member of an endpoint that joins with several', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const { held, subscription } = await workHeld(b, 0)
    sendAll(a, 4)
    await until(() => held.begun.length === 1)
    subscription.unsubscribe()
    await until(() => waitingAt(a) === 3)
    const c = await bus.start('c')
    const members = [await workHeld(c, 0), await workHeld(c, 0), await workHeld(c, 0)]
    await c.waitUntilConnectedTo(['a'])
    await until(() => allOf(...members).length === 3)
    for (const { got } of members) expect(got).to.have.lengthOf(1)
    for (const each of [held, ...members.map((member) => member.held)]) each.release()
  })

  it('takes back what a member that unsubscribes had not begun', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const { held, ...leaver } = await workHeld(b, 10)
    sendAll(a, 11)
    await until(() => leaver.subscription.pending === 11)
    const other = await work(c, 0)
    leaver.subscription.unsubscribe()
    await until(() => other.got.length === 10)
    expect(leaver.subscription.pending).to.equal(1)
    held.release()
    await until(() => inHandAt(a) === 0)
    expect(leaver.got).to.deep.equal([0])
    expect(other.got).to.deep.equal(numbers(11).slice(1))
    expect(a.queues()).to.deep.equal([
      { name: 'workers', members: 1, inHand: 0, waiting: 0, returned: 10, redelivered: 0, dead: 0 },
    ])
  })

  it('handles nothing twice and loses nothing while members unsubscribe and join during a burst', async () => {
    const { a, b, c, d } = await bus.startAll('a', 'b', 'c', 'd')
    const members: Member[] = [await work(d, 3)]
    let isOver = false
    const come = async (endpoint: Endpoint, prefetch: number) => {
      while (!isOver) {
        const member = await work(endpoint, prefetch, () => new Promise((resolve) => setImmediate(resolve)))
        members.push(member)
        const enough = allOf(member).length + 5
        await until(() => isOver || member.got.length >= enough)
        member.subscription.unsubscribe()
      }
    }
    const comers = [come(b, 0), come(c, 20)]
    for (const n of numbers(3000)) await a.broadcast(Job, n)
    await until(() => allOf(...members).length >= 3000)
    isOver = true
    await Promise.all(comers)
    await until(() => inHandAt(a) === 0)
    expect(allOf(...members)).to.deep.equal(numbers(3000))
  })

  it('loses nothing of a sender that closes, while members that take ahead by themselves take long', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const members = [await workHeld(b, 'auto'), await workHeld(c, 'auto')]
    const own = new HeldHandler()
    await join(a, 'own', {}, own.handle)
    sendAll(a, 4)
    a.broadcastNowait(defineEvent<number>('own'), 0)
    await until(() => members.every(({ subscription }) => subscription.pending === 2))
    const errors = reportsOf(a)
    const failure = await rejection(a.close({ timeout: 600 }))
    expect([failure instanceof CloseTimeout && failure.undelivered.size, codesOf(errors)]).to.deep.equal([0, []])
    for (const { held } of [...members, { held: own }]) held.release()
    await until(() => allOf(...members).length === 4)
    expect(allOf(...members)).to.deep.equal(numbers(4))
  })

  it('lets a handler unsubscribe itself, and gives what it had not begun to others', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const member: Member = await work(b, 50, () => member.got.length === 3 && member.subscription.unsubscribe())
    sendAll(a, 30)
    await until(() => waitingAt(a) === 27 && inHandAt(a) === 0)
    const other = await work(c, 5)
    await until(() => other.got.length === 27)
    expect(member.got).to.deep.equal([0, 1, 2])
    expect(other.got).to.deep.equal(numbers(30).slice(3))
  })

  it('goes on after a handler that throws or rejects, and reports it', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const errors = reportsOf(b)
    const member = await work(b, 2, ({ payload }) => {
      if (payload === 1) throw new Error('one')
      return payload === 3 ? Promise.reject(new Error('three')) : undefined
    })
    sendAll(a, 6)
    await until(() => member.got.length === 6 && inHandAt(a) === 0)
    expect(codesOf(errors)).to.deep.equal(['LAHJA_HANDLER_ERROR', 'LAHJA_HANDLER_ERROR'])
  })

  it('reports payloads that the schema of its member refuses, and goes on', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const errors = reportsOf(b)
    const Even = defineEvent('job.even', {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'number' && value % 2 === 0 ? { value: value * 10 } : { issues: [{ message: 'odd' }] },
      },
    })
    const member = await work(b, 2, () => {}, { type: Even })
    for (const n of numbers(6)) a.broadcastNowait('job.even', n)
    await until(() => member.got.length === 3 && inHandAt(a) === 0)
    expect([member.got, eventsOf(errors)]).to.deep.equal([[0, 20, 40], [1]])
  })

  it('serves several senders, their own members included, each in its order', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const members = await Promise.all([a, b, c].map((each) => work(each, 4)))
    for (const n of numbers(300)) {
      a.broadcastNowait(Job, n)
      b.broadcastNowait(Job, 1000 + n)
    }
    await until(() => allOf(...members).length >= 600)
    expect(allOf(...members)).to.deep.equal([...numbers(300), ...numbers(300).map((n) => 1000 + n)])
    for (const { got } of members) {
      for (const isFrom of [(n: number) => n < 1000, (n: number) => n >= 1000]) {
        const ofOne = got.map(Number).filter(isFrom)
        expect(ofOne).to.deep.equal([...ofOne].sort((one, other) => one - other))
      }
    }
  })

  it('takes the types of a pattern', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const types: string[] = []
    await work(b, 1, ({ type }) => void types.push(type), { type: 'job.>' })
    for (const type of ['job.a', 'other', 'job.b.c']) await a.broadcast(type, 1)
    await until(() => types.length === 2)
    expect(types).to.deep.equal(['job.a', 'job.b.c'])
  })

  it('takes events only of the senders that its member names', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const member = await work(c, 1, () => {}, { from: 'b' })
    expect(await a.broadcast(Job, 1)).to.equal(0)
    expect(await b.broadcast(Job, 2)).to.equal(1)
    await until(() => member.got.length === 1)
    expect([member.got, a.queues()]).to.deep.equal([[2], []])
  })

  it('gives a member only types that its endpoint lets in', async () => {
    const { a, b, c } = await bus.startEach({ a: {}, b: { accepts: ['job.open'] }, c: {} })
    const closed = await work(b, 5, () => {}, { type: 'job.*' })
    expect(await a.broadcast('job.secret', 1)).to.equal(0)
    const open = await work(c, 5, () => {}, { type: 'job.*' })
    expect(await a.broadcast('job.secret', 2)).to.equal(1)
    expect(await a.broadcast('job.open', 3, { to: 'b' })).to.equal(1)
    await until(() => open.got.length + closed.got.length === 2)
    expect([open.got, closed.got]).to.deep.equal([[2], [3]])
  })

  it('hands addressed events only to whom they are addressed, and they hold up no others', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const { held, ...busy } = await workHeld(b, 0)
    const own = await work(a, 0)
    const free = await work(c, 0)
    for (const n of numbers(3)) a.broadcastNowait(Job, n, { to: 'b' })
    for (const n of numbers(3)) a.broadcastNowait(Job, 10 + n, { except: ['a', 'b'] })
    for (const n of numbers(3)) a.broadcastNowait(Job, 20 + n, { internal: true })
    await until(() => free.got.length === 3 && own.got.length === 3 && busy.got.length === 1)
    expect([free.got, own.got, waitingAt(a)]).to.deep.equal([[10, 11, 12], [20, 21, 22], 2])
    held.release()
    await until(() => busy.got.length === 3)
    expect(busy.got).to.deep.equal([0, 1, 2])
    expect(await a.broadcast(Job, 1, { to: 'nobody' })).to.equal(0)
  })

  it('hands events of an internal type to own members by reference, and they may unsubscribe', async () => {
    const Internal = defineEvent<{ n: unknown }>('prefetch.internal', { boundary: 'internal' })
    const { a, b } = await bus.startAll('a', 'b')
    const foreign = await work(b, 1, () => {}, { type: 'prefetch.>' })
    const held = new HeldHandler()
    const first = await work(a, 2, held.handle, { type: Internal })
    const payloads = numbers(6).map((n) => ({ n, call: () => n }))
    for (const payload of payloads) a.broadcastNowait(Internal, payload)
    await until(() => held.begun.length === 1 && first.subscription.pending === 3)
    first.subscription.unsubscribe()
    await until(() => waitingAt(a) === 5)
    const second = await work(a, 0, () => {}, { type: Internal })
    held.release()
    await until(() => second.got.length === 5)
    for (const [index, payload] of payloads.entries()) expect([...first.got, ...second.got][index]).to.equal(payload)
    expect(foreign.got).to.deep.equal([])
  })

  it('shares its events with members that have no prefetch', async () => {
    const { a, b, c } = await bus.startAll('a', 'b', 'c')
    const { held, ...pullMember } = await workHeld(b, 0)
    const plain = await join(c, 'job', DEALT)
    sendAll(a, 50)
    await until(() => allOf(pullMember, plain).length === 50)
    expect(pullMember.got).to.deep.equal([0])
    expect(plain.got).to.deep.equal(numbers(50).slice(1))
    held.release()
  })

  it('and plain subscribers of the same events get each of them', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const { held, ...member } = await workHeld(b, 0)
    const plain = await join(b, 'job', {})
    sendAll(a, 10)
    await until(() => plain.got.length === 10)
    expect([member.got, waitingAt(a)]).to.deep.equal([[0], 9])
    held.release()
    await until(() => member.got.length === 10)
  })

  it('keeps the payload as it was when it was broadcast', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const { held, ...member } = await workHeld(b, 0)
    const payload = { n: 1, bytes: new Uint8Array([1, 2, 3]) }
    await a.broadcast('job', 'first')
    await a.broadcast('job', payload)
    await a.broadcast('job')
    payload.n = 2
    payload.bytes[0] = 9
    held.release()
    await until(() => member.got.length === 3)
    expect(member.got).to.deep.equal(['first', { n: 1, bytes: Buffer.from([1, 2, 3]) }, undefined])
  })

  describe('that holds up its senders', () => {
    const limits = { frameBytes: 5000, highWaterMark: 20_000, outboxBytes: 40_000, patience: 60_000 }

    it('makes broadcast wait above the high-water mark, and lets it go on', async () => {
      const { a, b } = await bus.startEach({ a: { limits }, b: {} })
      const { held, ...member } = await workHeld(b, 0)
      let sent = 0
      const sending = (async () => {
        for (const n of numbers(300)) {
          await a.broadcast(Job, n)
          sent++
        }
      })()
      await until(() => waitingAt(a) === 50 && sent === 50)
      await new Promise((resolve) => setImmediate(resolve))
      expect([sent, waitingAt(a)]).to.deep.equal([50, 50])
      held.release()
      await sending
      await until(() => member.got.length === 300)
      expect(member.got).to.deep.equal(numbers(300))
    })

    it('tells broadcastNowait to wait for drained', async () => {
      const { a, b } = await bus.startEach({ a: { limits }, b: {} })
      const { held } = await workHeld(b, 0)
      const results = numbers(60).map((n) => a.broadcastNowait(Job, n))
      expect([results[0], results.at(-1)]).to.deep.equal([true, false])
      let isDrained = false
      const drained = a.drained().then(() => {
        isDrained = true
      })
      await new Promise((resolve) => setImmediate(resolve))
      expect(isDrained).to.equal(false)
      held.release()
      await drained
    })

    for (const [overflow, left] of [
      ['dropOldest', 'newest'],
      ['dropNewest', 'oldest'],
      ['disconnect', 'newest'],
    ] as const) {
      it(`keeps its ${left} events by the policy ${overflow}, and reports each that it drops`, async () => {
        const { a, b } = await bus.startEach({ a: { limits }, b: {} })
        const errors = reportsOf(a)
        const { held, ...member } = await workHeld(b, 0)
        const Some = defineEvent<number>('job', { overflow })
        for (const n of numbers(200)) expect(a.broadcastNowait(Some, n)).to.equal(true)
        const kept = waitingAt(a)
        expect(kept).to.be.within(80, 100)
        const dropped = eventsOf(errors).map(Number)
        expect(new Set(codesOf(errors))).to.deep.equal(new Set(['LAHJA_OUTBOX_OVERFLOW']))
        held.release()
        await until(() => member.got.length === kept + 1)
        const rest = numbers(200).slice(1)
        expect(allOf(member)).to.deep.equal([0, ...(left === 'newest' ? rest.slice(-kept) : rest.slice(0, kept))])
        expect(dropped.filter((n) => member.got.includes(n))).to.deep.equal([])
        expect(a.isConnectedTo('b')).to.equal(true)
      })
    }

    it('keeps only the latest event of each key by the policy latest', async () => {
      const { a, b } = await bus.startEach({ a: { limits }, b: {} })
      const errors = reportsOf(a)
      const { held, ...member } = await workHeld(b, 0)
      const Latest = defineEvent<number>('job', { overflow: { latest: (n) => n % 3 } })
      for (const n of numbers(100)) a.broadcastNowait(Latest, n)
      expect(waitingAt(a)).to.equal(3)
      held.release()
      await until(() => member.got.length === 4)
      expect([member.got, errors]).to.deep.equal([[0, 97, 98, 99], []])
    })
  })

  it('throws where a subscriber is required and it has no member, and does not if it has a busy one', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    expect(await rejectionCode(a.broadcast(Job, 1, { requireSubscriber: true }))).to.equal('LAHJA_NO_SUBSCRIBERS')
    const { held } = await workHeld(b, 0)
    for (const n of numbers(3)) expect(await a.broadcast(Job, n, { requireSubscriber: true })).to.equal(1)
    held.release()
  })

  it('refuses an event that no member takes, with its size as the reason', async () => {
    const { a, b } = await bus.startEach({ a: {}, b: { limits: { frameBytes: 5000 } } })
    const member = await work(b, 1)
    const plain = await join(b, 'other', {})
    const outcomes: string[] = []
    for (let bytes = 4900; bytes <= 5000; bytes++) {
      try {
        await a.broadcast('job', Buffer.alloc(bytes))
        outcomes.push('sent')
      } catch (error) {
        expect(error).to.have.property('code', 'LAHJA_PAYLOAD_TOO_LARGE')
        expect(error)
          .to.have.property('message')
          .that.matches(/takes (more than )?\d+ bytes .*encoded/)
        outcomes.push('refused')
      }
    }
    expect(outcomes).to.deep.equal([...outcomes].sort().reverse())
    expect(new Set(outcomes)).to.deep.equal(new Set(['sent', 'refused']))
    await a.broadcast('other', Buffer.alloc(4900))
    const sent = outcomes.filter((outcome) => outcome === 'sent').length
    await until(() => member.got.length === sent && plain.got.length === 1)
  })

  it('is dealt out to a member of the sender again once the other subscriptions there have caught up', async () => {
    const limits = { highWaterMark: 70_000, windowBytes: 131_072, patience: 100 }
    const [a, b] = [await bus.start('a', { limits }), await bus.start('b')]
    const slow = new HeldHandler()
    await a.subscribe('plain', slow.handle).ready
    const { held } = await workHeld(b, 0)
    const own = await work(a, 0)
    await b.waitUntilConnectedTo('a')
    await until(() => a.queues()[0]?.members === 2)
    for (let sent = 0; sent < 40; sent++) a.broadcastNowait('plain', Buffer.alloc(20_000))
    await a.broadcast('plain')
    sendAll(a, 2)
    await until(() => held.begun.length === 1)
    expect(waitingAt(a)).to.equal(1)
    slow.release()
    await until(() => own.got.length === 1)
    held.release()
  })

  it('is shown by queues(), at each sender', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    expect(a.queues()).to.deep.equal([])
    const { held, subscription } = await workHeld(b, 1)
    await join(b, 'job', { ...DEALT, queue: 'dealt' })
    sendAll(a, 5)
    expect(a.queues()).to.deep.equal([
      { name: 'workers', members: 1, inHand: 2, waiting: 3, returned: 0, redelivered: 0, dead: 0 },
    ])
    expect(b.queues()).to.deep.equal([
      { name: 'workers', members: 1, inHand: 0, waiting: 0, returned: 0, redelivered: 0, dead: 0 },
    ])
    await until(() => held.begun.length === 1 && subscription.pending === 2)
    held.releaseOne()
    await until(() => held.begun.length === 2)
    await until(() => waitingAt(a) === 2)
    expect(a.queues()).to.deep.equal([
      { name: 'workers', members: 1, inHand: 2, waiting: 2, returned: 0, redelivered: 0, dead: 0 },
    ])
    held.release()
    await until(() => inHandAt(a) === 0)
  })

  it('needs a prefetch from 0 to 65,535, and the name of a queue', async () => {
    const a = await bus.start('a')
    for (const prefetch of [-1, 1.5, 65_536, Number.NEGATIVE_INFINITY, Number.NaN, null, '1', true]) {
      const options: object = { queue: 'q', prefetch }
      expect(await rejectionCode(() => a.subscribe('job', () => {}, options)), String(prefetch)).to.equal(
        'LAHJA_INVALID_ARGUMENT',
      )
    }
    const error = await rejection(() => a.subscribe('job', () => {}, { prefetch: 1 }))
    expect(error.message).to.match(/prefetch.*queue/)
    for (const prefetch of [0, 65_535, undefined]) {
      a.subscribe('job', () => {}, { queue: 'q', prefetch, concurrency: Number.POSITIVE_INFINITY }).unsubscribe()
    }
  })

  describe('and an endpoint that leaves', () => {
    it('returns what its slow handler has not begun, and waits for what it has', async () => {
      const { a, b, c } = await bus.startAll('a', 'b', 'c')
      const { held, ...leaver } = await workHeld(b, 10)
      const other = await work(c, 0)
      const left = once(a, 'left')
      for (const n of numbers(11)) await a.broadcast(Job, n, n === 0 ? { to: 'b' } : {})
      await until(() => held.begun.length >= 1)
      const closed = b.close()
      await until(() => allOf(leaver, other).length === 11)
      held.release()
      await closed
      expect(allOf(leaver, other)).to.deep.equal(numbers(11))
      const [, { unfinished, unfinishedEvents }] = await left
      expect([unfinished, unfinishedEvents]).to.deep.equal([0, []])
    })

    it('tells its senders which events it had begun when its time was over', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const { held } = await workHeld(b, 3)
      sendAll(a, 4)
      await until(() => held.begun.length === 1)
      const left = once(a, 'left')
      const error = await rejection(b.close({ timeout: 200 }))
      expect(error.code).to.equal('LAHJA_CLOSE_TIMEOUT')
      const [, { unfinished, unfinishedEvents }] = await left
      expect([unfinished, unfinishedEvents]).to.deep.equal([1, [{ type: 'job', payload: 0, origin: 'a', headers: {} }]])
      expect(waitingAt(a)).to.equal(3)
      held.release()
    })

    it('keeps events that are addressed to it, and handles them', async () => {
      const { a, b, c } = await bus.startAll('a', 'b', 'c')
      const { held, ...leaver } = await workHeld(b, 10)
      const other = await work(c, 0)
      for (const n of numbers(4)) await a.broadcast(Job, n, { to: 'b' })
      await until(() => leaver.subscription.pending === 4)
      const closed = b.close()
      held.release()
      await closed
      expect([leaver.got, other.got]).to.deep.equal([numbers(4), []])
    })

    it('as the sender gives away all that waits before it closes', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const { held, ...member } = await workHeld(b, 0)
      const errors = reportsOf(a)
      sendAll(a, 20)
      await until(() => held.begun.length === 1)
      const closed = a.close()
      held.release()
      await closed
      await until(() => member.got.length === 20)
      expect([member.got, errors]).to.deep.equal([numbers(20), []])
    })

    it('reports at once what waits in a queue without members', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const { held, subscription } = await workHeld(b, 0)
      const errors = reportsOf(a)
      sendAll(a, 3)
      await until(() => held.begun.length === 1)
      subscription.unsubscribe()
      held.release()
      await until(() => inHandAt(a) === 0 && a.queues().every(({ members }) => members === 0))
      await a.close({ timeout: 60_000 }).catch(() => {})
      expect(eventsOf(errors)).to.deep.equal([1, 2])
    })

    it('handles what waits for its own members, if no other may have it', async () => {
      for (const prefetch of [0, 3]) {
        const a = await bus.start(`a-${prefetch}`)
        const errors = reportsOf(a)
        const { held, ...member } = await workHeld(a, prefetch)
        sendAll(a, 50)
        await until(() => held.begun.length === 1)
        const closed = a.close({ timeout: 60_000 })
        held.release()
        await closed
        expect([member.got, errors], `${prefetch}`).to.deep.equal([numbers(50), []])
      }
    })

    it('leaves to others what waits for its own members too', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const { held, ...own } = await workHeld(a, 0)
      sendAll(a, 20)
      await until(() => held.begun.length === 1)
      const other = await workHeld(b, 0)
      await until(() => other.held.begun.length === 1)
      const closed = a.close()
      other.held.release()
      await until(() => other.got.length === 19)
      held.release()
      await closed
      expect([own.got, other.got]).to.deep.equal([[0], numbers(20).slice(1)])
    })

    it('is given nothing more by two senders, and loses nothing of theirs', async () => {
      const { a, b, leaver, other } = await bus.startAll('a', 'b', 'leaver', 'other')
      const members = [await work(leaver, 20), await work(other, 20)]
      let isLeaving: Promise<void> | undefined
      for (const n of numbers(1000)) {
        await Promise.all([a.broadcast(Job, n), b.broadcast(Job, 1000 + n)])
        if (n === 300) isLeaving = leaver.close()
      }
      await isLeaving
      await until(() => allOf(...members).length >= 2000)
      expect(allOf(...members)).to.deep.equal(numbers(2000))
    })
  })
})
