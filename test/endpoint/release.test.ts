import { getEventListeners, setMaxListeners } from 'node:events'
import { expect } from 'chai'
import { defineEvent, defineRequest, type Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'
import { rejection } from '../support/rejection'
import { throwing } from '../support/throwing'

const News = defineEvent<number>('news')
const Ask = defineRequest<number, unknown>('ask')

/** Milliseconds far longer than any test, so that a leaked timer is still pending at the check. */
const LONG = 600_000

/** Repetitions of each, so that leaks stand out among the endpoint's own timers. */
const MANY = 100

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

describe('Endpoint releases subscriptions, listeners and timers', () => {
  const bus = freshBus()
  let a: Endpoint
  let b: Endpoint
  let abort: AbortController
  let before: number

  beforeEach(async () => {
    ;({ a, b } = await bus.startAll('a', 'b'))
    abort = new AbortController()
    setMaxListeners(0, abort.signal)
    before = timers()
  })

  /** No subscription is left here or at the peer, no abort listener and no timer. */
  async function expectReleased(): Promise<void> {
    expect([...b.subscribedEvents]).to.deep.equal([])
    await until(() => a.peers.every(({ subscriptions }) => subscriptions.length === 0))
    expectQuiet()
  }

  function expectQuiet(): void {
    expect(getEventListeners(abort.signal, 'abort')).to.deep.equal([])
    expect(timers()).to.be.below(before + MANY / 2)
  }

  /** The loop that each test leaves in its own way. */
  async function read(body: () => void): Promise<void> {
    for await (const { payload } of b.stream(News, { signal: abort.signal })) {
      expect(payload).to.equal(1)
      body()
    }
  }

  async function whileReading(body: () => void): Promise<void> {
    const reading = read(body)
    await until(() => a.isEndpointSubscribedTo('b', 'news'))
    expect(getEventListeners(abort.signal, 'abort')).to.have.length(1)
    a.broadcastNowait(News, 1)
    await reading
  }

  describe('of a stream', () => {
    it('on break', async () => {
      for await (const { payload } of streamOfOne()) {
        expect(payload).to.equal(1)
        break
      }
      await expectReleased()
    })

    it('on a throw inside the loop', async () => {
      const thrown = new Error('inside')
      const outcome = await whileReading(throwing(thrown)).catch((error) => error)
      expect(outcome).to.equal(thrown)
      await expectReleased()
    })

    it('on abort, both between two events and while waiting for one', async () => {
      expect(await rejection(whileReading(() => abort.abort()))).to.include({ code: 'LAHJA_ABORTED' })
      await expectReleased()
      abort = new AbortController()
      const stream = b.stream(News, { signal: abort.signal })
      const next = rejection(stream.next())
      await stream.ready
      abort.abort()
      expect(await next).to.include({ code: 'LAHJA_ABORTED' })
      await expectReleased()
    })

    it('on close', async () => {
      const reading = read(() => {})
      await until(() => a.isEndpointSubscribedTo('b', 'news'))
      await b.close()
      await reading
      await expectReleased()
    })

    it('at its limit, before the buffered events are read', async () => {
      const stream = b.stream(News, { limit: 2, signal: abort.signal })
      await stream.ready
      for (let n = 0; n < 5; n++) await a.broadcast(News, n)
      await until(() => b.subscribedEvents.size === 0)
      await expectReleased()
      const payloads: number[] = []
      for await (const { payload } of stream) payloads.push(payload)
      expect(payloads).to.deep.equal([0, 1])
    })

    it('at the end of an await using block without a read', async () => {
      {
        await using stream = b.stream(News, { signal: abort.signal })
        await stream.ready
      }
      await expectReleased()
    })

    it('on return of many streams with pending reads', async () => {
      const streams = Array.from({ length: MANY }, () => b.stream(News))
      const nexts = streams.map((stream) => stream.next())
      for (const stream of streams) await stream.return()
      for (const next of nexts) expect(await next).to.deep.equal({ done: true, value: undefined })
      await expectReleased()
    })
  })

  describe('of waitFor', () => {
    /** Each has a timeout of its own, as those that have the same share a timer. */
    const wait = (timeout = LONG) =>
      Array.from({ length: MANY }, (_, index) => b.waitFor(News, { signal: abort.signal, timeout: timeout + index }))

    it('when the event arrives', async () => {
      const events = Promise.all(wait())
      await until(() => a.isEndpointSubscribedTo('b', 'news'))
      await a.broadcast(News, 1)
      for (const { payload } of await events) expect(payload).to.equal(1)
      await expectReleased()
    })

    for (const [what, end, code] of [
      ['on abort', () => abort.abort(), 'LAHJA_ABORTED'],
      ['on close', () => b.close(), 'LAHJA_ENDPOINT_CLOSED'],
    ] as const) {
      it(what, async () => {
        const outcomes = wait().map((event) => rejection(event))
        await until(() => a.isEndpointSubscribedTo('b', 'news'))
        expect(timers()).to.be.at.least(MANY)
        await end()
        for (const error of await Promise.all(outcomes)) expect(error).to.include({ code })
        await expectReleased()
      })
    }

    it('on timeout', async () => {
      const outcomes = wait(10).map((event) => rejection(event))
      for (const error of await Promise.all(outcomes)) expect(error).to.include({ code: 'LAHJA_WAIT_TIMEOUT' })
      await expectReleased()
    })

    it('when its signal has aborted before the call', async () => {
      abort.abort()
      expect(await rejection(b.waitFor(News, { signal: abort.signal }))).to.include({ code: 'LAHJA_ABORTED' })
      await expectReleased()
    })
  })

  describe('of requestAll', () => {
    let signals: AbortSignal[]

    /** Both respond: a at once, b never. */
    beforeEach(async () => {
      signals = []
      await a.respond(Ask, () => 'at once').ready
      await b.respond(Ask, ({ signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      }).ready
    })

    const ask = (index = 0) => a.requestAll(Ask, 1, { signal: abort.signal, timeout: LONG + index })

    async function askMany(end: (error: Error) => void, body: () => void): Promise<void> {
      const loops = Array.from({ length: MANY }, async () => {
        for await (const { payload } of ask()) {
          expect(payload).to.equal('at once')
          body()
          break
        }
      })
      for (const loop of loops) await loop.catch(end)
      await until(() => signals.length === MANY && signals.every(({ aborted }) => aborted))
      expectQuiet()
    }

    it('on break', async () => {
      const ignore = () => {}
      await askMany((error) => expect.fail(error.message), ignore)
    })

    it('on a throw inside the loop', async () => {
      const thrown = new Error('inside')
      let count = 0
      await askMany((error) => {
        expect(error).to.equal(thrown)
        count++
      }, throwing(thrown))
      expect(count).to.equal(MANY)
    })

    for (const [what, end, code] of [
      ['on abort', () => abort.abort(), 'LAHJA_ABORTED'],
      ['on close', () => a.close(), 'LAHJA_ENDPOINT_CLOSED'],
    ] as const) {
      it(what, async () => {
        const all = Array.from({ length: MANY }, (_, index) => ask(index))
        for (const replies of all) await replies.next()
        const outcomes = all.map((replies) => rejection(replies.next()))
        await until(() => signals.length === MANY)
        expect(timers()).to.be.at.least(MANY)
        await end()
        for (const error of await Promise.all(outcomes)) expect(error).to.include({ code })
        await until(() => signals.every(({ aborted }) => aborted))
        expectQuiet()
      })
    }
  })

  it('of request, however it ends', async () => {
    await a.respond(Ask, () => 'at once').ready
    const options = { signal: abort.signal, timeout: LONG }
    await Promise.all(Array.from({ length: MANY }, () => a.request(Ask, 1, options)))
    await Promise.all(Array.from({ length: MANY }, () => rejection(a.request('nobody', 1, options))))
    expectQuiet()
  })

  async function* streamOfOne() {
    const stream = b.stream(News, { signal: abort.signal })
    await stream.ready
    await a.broadcast(News, 1)
    yield* stream
  }
})
