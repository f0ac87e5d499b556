import { createServer, Socket } from 'node:net'
import { expect } from 'chai'
import { CloseTimeout, defineEvent, defineRequest, type Endpoint, NoSubscribers, type Overflow } from '../../src'
import { freshBus, until } from '../support/bus'
import { collectGarbage } from '../support/garbage'
import { HeldHandler } from '../support/held-handler'
import { DEALT, numbers } from '../support/members'
import { payloadsAt } from '../support/payloads'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'

const inside = { boundary: 'internal' } as const

// Boundaries apply to the whole process, so no other test uses these names.
const Passed = defineEvent<unknown>('reference.passed', inside)
const Latest = defineEvent<{ key: string }>('reference.latest', { ...inside, overflow: { latest: ({ key }) => key } })
const Newest = defineEvent<unknown>('reference.newest', { ...inside, overflow: 'dropNewest' })
const Oldest = defineEvent<unknown>('reference.oldest', { ...inside, overflow: 'dropOldest' })
const Grouped = defineEvent<unknown>('reference.grouped', { boundary: { groups: ['here'] } })
const Open = defineRequest<unknown, unknown>('reference.open', inside)

/** What an event by reference counts for. */
const NOMINAL = 512
const LIMITS = {
  frameBytes: 4096,
  windowBytes: 4 * NOMINAL,
  outboxBytes: 20 * NOMINAL,
  highWaterMark: 10 * NOMINAL,
  patience: 2 ** 31 - 1,
}

class Account {
  readonly #secret = 1
  reveal(): number {
    return this.#secret
  }
}

describe('An event of an internal type', () => {
  const bus = freshBus()
  let a: Endpoint

  beforeEach(async () => {
    a = await bus.start('a', { groups: ['here'], limits: LIMITS })
  })

  /** A held handler whose first events have used up the window. */
  async function hold(...types: Parameters<Endpoint['subscribe']>[0][]): Promise<HeldHandler> {
    const handler = new HeldHandler()
    for (const type of types) a.subscribe(type, handler.handle)
    for (const number of numbers(4)) a.broadcastNowait(Passed, number)
    await until(() => handler.begun.length === 1)
    return handler
  }

  it('carries the payload itself, whatever it is, to handlers, streams and waits', async () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    const payloads = [() => 1, new Account(), new Socket(), cycle, Symbol('s'), new Map([[{}, 1]]), undefined, null, 7]
    const received = [await payloadsAt(a, Passed), await payloadsAt(a, 'reference.*')]
    const stream = a.stream(Passed, { limit: payloads.length })
    const first = a.waitFor(Passed)
    for (const payload of payloads) expect(await a.broadcast(Passed, payload)).to.equal(1)
    const streamed: unknown[] = []
    for await (const { payload } of stream) streamed.push(payload)
    await until(() => received.every(({ length }) => length === payloads.length))
    for (const got of [...received, streamed]) {
      for (const [index, payload] of payloads.entries()) expect(got[index], String(index)).to.equal(payload)
    }
    expect((await first).payload).to.equal(payloads[0])
  })

  it('carries the payload also if the type is given as a plain string', async () => {
    const received = await payloadsAt(a, 'reference.passed')
    const payload = new Account()
    await a.broadcast('reference.passed', payload, { to: 'a' })
    await until(() => received.length === 1)
    expect(received[0]).to.equal(payload)
  })

  it('is delivered in order with other events, and never from inside broadcast', async () => {
    const order: unknown[] = []
    let isInside = false
    const wide = await bus.start('wide', { groups: ['here'] })
    for (const type of [Passed, 'other', Grouped]) {
      wide.subscribe(type, ({ payload }) => order.push(isInside ? 'inside' : payload))
    }
    const sent = numbers(300)
    isInside = true
    for (const number of sent)
      wide.broadcastNowait([Passed, 'other', 'other', Passed, Grouped][number % 5] ?? '', number)
    isInside = false
    await until(() => order.length === sent.length)
    expect(order).to.deep.equal(sent)
  })

  it('is shared by the members of a queue, and goes to another when it is returned', async () => {
    const [early, late] = [new HeldHandler(), new HeldHandler()]
    const first = a.subscribe(Passed, early.handle, DEALT)
    const payloads = numbers(3).map(() => new Account())
    for (const payload of payloads) expect(await a.broadcast(Passed, payload)).to.equal(1)
    await until(() => first.pending === 3)
    a.subscribe(Passed, late.handle, DEALT)
    first.unsubscribe()
    early.release()
    late.release()
    await until(() => late.ended.length === 2)
    expect(early.ended).to.have.length(1)
    for (const [index, got] of [...early.ended, ...late.ended].entries()) expect(got).to.equal(payloads[index])
  })

  it('waits for the members of its queue also when the endpoint lags', async () => {
    const slow = await bus.start('slow', { limits: { ...LIMITS, patience: 20 } })
    const handler = new HeldHandler()
    slow.subscribe(Passed, handler.handle, DEALT)
    slow.subscribe('other', handler.handle, DEALT)
    const payloads = numbers(20).map(() => new Account())
    for (const payload of payloads) await slow.broadcast(Passed, payload)
    await slow.broadcast('other', 'last')
    expect(slow.broadcastNowait(Passed, 'not waited for')).to.equal(true)
    handler.release()
    await until(() => handler.ended.includes('not waited for'))
    expect(handler.ended).to.have.ordered.members([...payloads, 'last', 'not waited for'])
  })

  it('of a queue without members is reported with its payload', async () => {
    const reports = reportsOf(a)
    const handler = new HeldHandler()
    const only = a.subscribe(Passed, handler.handle, DEALT)
    const payloads = numbers(3).map(() => new Account())
    for (const payload of payloads) await a.broadcast(Passed, payload)
    await until(() => only.pending === 3)
    only.unsubscribe()
    await until(() => reports.length === 2)
    for (const [index, error] of reports.entries()) {
      expect(error)
        .to.be.instanceOf(NoSubscribers)
        .with.nested.property('event.payload', payloads[index + 1])
    }
    handler.release()
  })

  it('counts for 512 bytes, and makes its sender wait', async () => {
    const handler = await hold(Passed)
    const results = numbers(14).map(() => a.broadcastNowait(Passed, new Account()))
    expect(results.indexOf(false)).to.equal(10)
    let isDrained = false
    const drained = a.drained().then(() => {
      isDrained = true
    })
    await until(() => handler.begun.length === 1)
    expect(isDrained).to.equal(false)
    handler.release()
    await drained
    await until(() => handler.ended.length === 18)
  })

  it('is dropped by its overflow policy, with a gap in its place', async () => {
    const gaps: number[] = []
    a.on('gap', ({ count }) => gaps.push(count))
    for (const [type, kept] of [
      [Newest, numbers(20)],
      [Oldest, numbers(20).map((index) => index + 10)],
    ] as const) {
      const handler = await hold(Passed, type)
      const payloads = numbers(30).map((number) => ({ number }))
      for (const payload of payloads) a.broadcastNowait(type, payload)
      handler.release()
      await until(() => handler.ended.length === 24)
      expect(handler.ended.slice(4)).to.have.ordered.members(kept.map((index) => payloads[index]))
      expect(gaps.splice(0)).to.deep.equal([10])
    }
  })

  it('replaces older ones of the same key with the policy latest', async () => {
    const handler = await hold(Passed, Latest)
    const payloads = numbers(50).map((number) => ({ key: String(number % 2), act: () => number }))
    for (const payload of payloads) a.broadcastNowait(Latest, payload)
    handler.release()
    await until(() => handler.ended.length === 6)
    expect(handler.ended.slice(4)).to.have.ordered.members(payloads.slice(-2))
  })

  it('is counted by close if it is not handled', async () => {
    const handler = await hold(Passed)
    const error = await rejection(a.close({ timeout: 50 }))
    expect(error).to.be.instanceOf(CloseTimeout)
    expect(error).to.have.deep.property('unhandled', new Map([['reference.passed', 4]]))
    handler.release()
  })

  it('is handled before close is done', async () => {
    const received = await payloadsAt(a, Passed)
    const payloads = numbers(20).map(() => new Account())
    for (const payload of payloads) a.broadcastNowait(Passed, payload)
    await a.close()
    expect(received).to.have.ordered.members(payloads)
  })

  it('is validated where it is sent and where it arrives, and converted once', async () => {
    const calls: unknown[] = []
    const validate = (value: unknown) => {
      calls.push(value)
      return value instanceof Account ? { value: { account: value } } : { issues: [{ message: 'no account' }] }
    }
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const Checked = defineEvent('reference.checked', { ...inside, schema })
    const received = await payloadsAt(a, Checked)
    const payload = new Account()
    await a.broadcast(Checked, payload)
    await until(() => received.length === 1)
    expect(received[0]).to.have.property('account', payload)
    expect(calls).to.have.ordered.members([payload, payload])
    expect(await rejection(a.broadcast(Checked, 1))).to.include({ code: 'LAHJA_INVALID_PAYLOAD' })
  })

  it('may hold anything also when nobody subscribes', async () => {
    expect(await a.broadcast(Passed, () => {})).to.equal(0)
    const error = await rejection(a.broadcast(Passed, () => {}, { requireSubscriber: true }))
    expect(error).to.be.instanceOf(NoSubscribers)
  })

  it('is copied if the type is not internal, whatever the options say', async () => {
    const received = [await payloadsAt(a, 'reference.copied'), await payloadsAt(a, Grouped)]
    const payload = { a: 1 }
    await a.broadcast('reference.copied', payload, { internal: true })
    await a.broadcast(Grouped, payload)
    await until(() => received.every(({ length }) => length === 1))
    for (const [got] of received) {
      expect(got).to.deep.equal(payload)
      expect(got).not.to.equal(payload)
    }
    for (const type of ['reference.copied', Grouped]) {
      expect(await rejection(a.broadcast(type, () => {}, { internal: true }))).to.include({
        code: 'LAHJA_UNSERIALIZABLE_PAYLOAD',
      })
    }
  })

  it('holds for requests and their responses', async () => {
    const server = createServer()
    a.respond(Open, ({ payload }) => [payload, server])
    const payload = new Account()
    const answers = await Promise.all(numbers(50).map(() => a.request(Open, payload)))
    for (const answer of answers) expect(answer).to.have.ordered.members([payload, server])
    for await (const { payload: answer } of a.requestAll(Open, payload)) {
      expect(answer).to.have.ordered.members([payload, server])
    }
  })

  it('leaves requests as they were when they fail, are declined or are given up', async () => {
    const reports = reportsOf(a)
    const responder = a.respond(Open, () => {
      throw new RangeError('no')
    })
    expect(await rejection(a.request(Open, () => {}))).to.include({ code: 'LAHJA_REMOTE_ERROR' })
    responder.unsubscribe()
    expect(await rejection(a.request(Open, () => {}))).to.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
    const held = await HeldHandler.respondingTo(Open, a)
    expect(await rejection(a.request(Open, () => {}, { timeout: 10 }))).to.include({ code: 'LAHJA_REQUEST_TIMEOUT' })
    held.release()
    expect(codesOf(reports)).to.deep.equal(['LAHJA_HANDLER_ERROR'])
  })

  describe('keeps nothing', () => {
    /** References to payloads that were broadcast, and nothing else that holds them. */
    function broadcastAll(type: typeof Passed, count: number): WeakRef<object>[] {
      return numbers(count).map(() => {
        const payload = new Account()
        a.broadcastNowait(type, payload)
        return new WeakRef(payload)
      })
    }

    const alive = (refs: readonly WeakRef<object>[]) => refs.filter((ref) => ref.deref() !== undefined).length

    async function released(refs: readonly WeakRef<object>[]): Promise<void> {
      while (alive(refs) > 0) await collectGarbage()
    }

    it('once it is handled', async () => {
      let handled = 0
      a.subscribe(Passed, () => handled++)
      const refs = broadcastAll(Passed, 20)
      await until(() => handled === 20)
      await released(refs)
    })

    it('once it is handled by a member of a queue', async () => {
      let handled = 0
      a.subscribe(Passed, () => handled++, { queue: 'q' })
      const refs = broadcastAll(Passed, 10)
      await until(() => handled === 10)
      await released(refs)
    })

    const POLICIES: readonly [type: typeof Passed, overflow: Overflow][] = [
      [Newest, 'dropNewest'],
      [Oldest, 'dropOldest'],
    ]
    for (const [type, policy] of POLICIES) {
      it(`of what ${policy} drops`, async () => {
        const handler = await hold(Passed, type)
        const refs = broadcastAll(type, 60)
        const dropped = policy === 'dropNewest' ? refs.slice(20) : refs.slice(0, 40)
        await released(dropped)
        expect(alive(refs)).to.equal(20)
        handler.release()
        await until(() => handler.ended.length === 24)
      })
    }

    it('of what latest replaces', async () => {
      const handler = await hold(Passed, Latest)
      const refs = numbers(20).map(() => {
        const payload = { key: 'same' }
        a.broadcastNowait(Latest, payload)
        return new WeakRef(payload)
      })
      await released(refs.slice(0, -1))
      expect(alive(refs)).to.equal(1)
      handler.release()
    })

    it('of events that a queue without members has lost', async () => {
      a.on('error', () => {})
      const handler = new HeldHandler()
      const only = a.subscribe(Passed, handler.handle, DEALT)
      const refs = broadcastAll(Passed, 3)
      await until(() => only.pending === 3)
      only.unsubscribe()
      await released(refs.slice(1))
      handler.release()
    })

    it('of requests that were answered, failed or given up', async () => {
      a.on('error', () => {})
      let calls = 0
      a.respond(Open, ({ payload }) => {
        if (++calls % 3 === 0) throw new RangeError('no')
        return calls % 3 === 1 ? [payload] : new Promise(() => {})
      })
      const refs: WeakRef<object>[] = []
      const ask = async () => {
        const payload = new Account()
        refs.push(new WeakRef(payload))
        await a.request(Open, payload, { timeout: 20 }).catch(() => {})
      }
      for (let count = 0; count < 6; count++) await ask()
      await released(refs)
    })

    it('when the endpoint is closed', async () => {
      const handler = await hold(Passed)
      const refs = broadcastAll(Passed, 10)
      await rejection(a.close({ timeout: 20 }))
      await released(refs)
      handler.release()
    })
  })
})
