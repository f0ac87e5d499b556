import { expect } from 'chai'
import { defineEvent, defineRequest, Endpoint, type Event, type RequestEvent, type StandardSchema } from '../../src'
import { freshBus, until } from '../support/bus'
import { numbers } from '../support/members'
import { rejection } from '../support/rejection'

const CALLS = 5000

/** A schema that accepts nothing. */
const NOTHING: StandardSchema = {
  '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'never' }] }) },
}

const Impossible = defineEvent('turns.impossible', { schema: NOTHING })
const Refused = defineRequest('turns.refused', { request: NOTHING, response: NOTHING })

const ABORTED = { signal: AbortSignal.abort() }

async function readAll(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** Turns of the event loop during a call. */
async function turnsDuring(call: () => Promise<void>): Promise<number> {
  let turns = 0
  let isOver = false
  const count = () => {
    if (isOver) return
    turns++
    setImmediate(count)
  }
  setImmediate(count)
  await call()
  isOver = true
  return turns
}

/** Keeps the thread busy. */
function spend(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end) {}
}

describe('The event loop', () => {
  const bus = freshBus()
  let shop: Endpoint
  let closed: Endpoint

  beforeEach(async () => {
    closed = await bus.start('closed')
    await closed.close()
    shop = await bus.start('shop')
    shop.subscribe('heard', () => {})
    shop.respond('own', () => 1)
  })

  const loops: Record<string, () => Promise<unknown>> = {
    'broadcasts without a subscriber': () => shop.broadcast('tick', 1),
    'broadcasts to an absent endpoint': () => shop.broadcast('tick', 1, { to: 'nobody' }),
    'broadcasts that need a subscriber': () => rejection(shop.broadcast('tick', 1, { requireSubscriber: true })),
    'broadcasts of invalid payloads': () => rejection(Reflect.apply(shop.broadcast, shop, [Impossible, 1])),
    'requests without a responder': () => rejection(shop.request('ask', 1)),
    'broadcasts with an aborted signal': () => shop.broadcast('heard', 'x'.repeat(100), ABORTED).catch(() => {}),
    'requests to all without a responder': () => rejection(readAll(shop.requestAll('ask', 1))),
    'requests to all with an aborted signal': () => rejection(readAll(shop.requestAll('own', 1, ABORTED))),
    'requests to all of an invalid payload': () => rejection(() => readAll(shop.requestAll(Refused, 1))),
    'requests to all with an option that is unknown': () => {
      return rejection(() => readAll(Reflect.apply(shop.requestAll, shop, ['own', 1, { unknown: 1 }])))
    },
    'requests to all of a closed endpoint': () => rejection(() => readAll(closed.requestAll('own', 1))),
    'requests of a closed endpoint': () => rejection(closed.request('own', 1)),
    'streams of a closed endpoint': () => rejection(() => readAll(closed.stream('tick'))),
    'streams with an option that is unknown': () => {
      return rejection(() => readAll(Reflect.apply(shop.stream, shop, ['tick', { unknown: 1 }])))
    },
    'streams of a type that is none': () => rejection(() => readAll(Reflect.apply(shop.stream, shop, ['no type!']))),
    'waits for an event with an aborted signal': () => rejection(shop.waitFor('tick', ABORTED)),
    'waits for an event with an option that is unknown': () => {
      return rejection(Reflect.apply(shop.waitFor, shop, ['tick', { unknown: 1 }]))
    },
    'streams with an aborted signal': () => rejection(readAll(shop.stream('tick', ABORTED))),
    'events sent to nobody without waiting, and drained': () => {
      shop.broadcastNowait('tick', 1)
      return shop.drained()
    },
    'waits for a subscriber that is there': () => shop.waitUntilAnyEndpointSubscribedTo('own'),
    'waits for a connection that is there': () => shop.waitUntilConnectedTo('shop'),
    'waits with an option that is unknown': () => {
      return rejection(Reflect.apply(shop.waitUntilConnectedTo, shop, ['shop', { unknown: 1 }]))
    },
    'closes with an option that is unknown': () => rejection(Reflect.apply(shop.close, shop, [{ unknown: 1 }])),
    'subscriptions that are ready at once': async () => {
      const subscription = shop.subscribe('tick', () => {})
      await subscription.ready
      subscription.unsubscribe()
    },
    'starts with an option that is unknown': () => {
      return rejection(Reflect.apply(Endpoint.start, Endpoint, [{ name: 'other', unknown: 1 }]))
    },
    'starts with an aborted signal': () =>
      rejection(Endpoint.start({ name: 'other', directory: bus.directory, ...ABORTED })),
  }

  /** A stream with so many events, of which one has been read. */
  async function backlog(count: number) {
    const stream = shop.stream('tick')
    for (const n of numbers(count)) shop.broadcastNowait('tick', n)
    await shop.drained()
    await stream.next()
    return stream
  }

  for (const [what, call] of Object.entries(loops)) {
    it(`turns during an awaited loop of ${what}`, async () => {
      const turns = await turnsDuring(async () => {
        for (const _ of numbers(CALLS)) await call()
      })
      expect(turns).to.be.at.least(3)
    })
  }

  it('turns while a loop reads a backlog of a stream', async () => {
    const stream = await backlog(60)
    const read: unknown[] = []
    const turns = await turnsDuring(async () => {
      for await (const { payload } of stream) {
        spend(1)
        if (read.push(payload) === 59) break
      }
    })
    expect(read).to.deep.equal(numbers(60).slice(1))
    expect(turns).to.be.at.least(3)
  })

  it('turns between reads that are not awaited without one overtaking another', async () => {
    const stream = await backlog(6)
    // From the buffer now, so that the time of this turn runs.
    await stream.next()
    spend(20)
    // Both are left to the next turn, and the third is made at its very beginning.
    const third = new Promise<unknown>((resolve) => setImmediate(() => resolve(stream.next())))
    const [first, second] = [stream.next(), stream.next()]
    const results = await Promise.all([first, second, third])
    expect(results.map((result) => Reflect.get(Reflect.get(Object(result), 'value'), 'payload'))).to.deep.equal([
      2, 3, 4,
    ])
  })

  it('turns while an async handler works off its backlog, in order', async () => {
    const handled: unknown[] = []
    let finish = () => {}
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    shop.subscribe('tick', async ({ payload }) => {
      await Promise.resolve()
      spend(1)
      if (handled.push(payload) === 60) finish()
    })
    for (const n of numbers(60)) shop.broadcastNowait('tick', n)
    expect(await turnsDuring(() => done)).to.be.at.least(3)
    expect(handled).to.deep.equal(numbers(60))
  })

  for (const concurrency of [1, 60, undefined]) {
    it(`turns while an async responder works off its backlog, in order, with concurrency ${concurrency}`, async () => {
      const handled: unknown[] = []
      const answer = async ({ payload }: RequestEvent) => {
        spend(1)
        handled.push(payload)
      }
      shop.respond('work', answer, { concurrency })
      const turns = await turnsDuring(async () => {
        await Promise.all(numbers(60).map((n) => shop.request('work', n)))
      })
      expect(turns).to.be.at.least(4)
      expect(handled).to.deep.equal(numbers(60))
    })
  }

  it('turns while an async handler with concurrency works off its backlog, in order', async () => {
    const handled: unknown[] = []
    let finish = () => {}
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    const handle = async ({ payload }: Event) => {
      spend(1)
      if (handled.push(payload) === 60) finish()
    }
    shop.subscribe('tick', handle, { concurrency: 60 })
    for (const n of numbers(60)) shop.broadcastNowait('tick', n)
    expect(await turnsDuring(() => done)).to.be.at.least(4)
    expect(handled).to.deep.equal(numbers(60))
  })

  it('is shared by a responder and a handler that both have a backlog', async () => {
    const handled: string[] = []
    const work = (what: string) => async () => {
      spend(1)
      handled.push(what)
    }
    shop.subscribe('tick', work('event'))
    shop.respond('work', work('request'))
    for (const n of numbers(60)) shop.broadcastNowait('tick', n)
    await Promise.all(numbers(60).map((n) => shop.request('work', n)))
    await until(() => handled.length === 120)
    // Neither begins before the other has had its turn.
    expect(handled.slice(0, 60)).to.include('event').and.include('request')
  })
})
