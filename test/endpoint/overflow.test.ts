import { once } from 'node:events'
import { expect } from 'chai'
import { CloseTimeout, defineEvent, type Endpoint, type EndpointOptions, type Overflow } from '../../src'
import { EventEncoder } from '../../src/wire/event-encoder'
import { freshBus, next, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { Watched } from '../support/watched'

type Numbered = readonly [number: number, filler: Uint8Array]

const numbered = (number: number): Numbered => [number, Buffer.alloc(1000)]
const numberOf = (payload: unknown) => (Array.isArray(payload) ? Number(payload[0]) : Number.NaN)

/** Bytes of each event's frame. */
const { start, end } = new EventEncoder(2000).event('news', numbered(0))
const FRAME = end - start

/** Number of events that fit into a receive window, and into an outbox. */
const WINDOW = 5
const CAP = 20
const PATIENT = 2 ** 31 - 1

const News = defineEvent<Numbered>('news')
const LIMITS = {
  windowBytes: WINDOW * FRAME,
  frameBytes: 4096,
  outboxBytes: CAP * FRAME,
  highWaterMark: 10 * FRAME,
  patience: PATIENT,
}

const fromTo = (first: number, last: number) => numbers(last - first + 1).map((index) => first + index)

describe('Endpoint with overflow', () => {
  const bus = freshBus()
  const bare = rawPeers().connect
  let a: Endpoint
  let b: Endpoint
  /** The numbers of the events that b received, and the gaps between them. */
  let log: (number | { gap: number })[]
  let handler: HeldHandler

  /** Starts a sender with the options, and a receiver with a subscription that logs. */
  async function startPair(options: Partial<EndpointOptions> = {}): Promise<void> {
    ;[a, b] = await Promise.all([bus.start('a', { limits: LIMITS, ...options }), bus.start('b', { limits: LIMITS })])
    await b.subscribe(News, ({ payload: [number] }) => log.push(number)).ready
    b.on('gap', ({ count }) => log.push({ gap: count }))
    b.respond('echo', () => {})
    await until(() => a.peers.some(({ responds }) => responds.includes('echo')))
  }

  /** Like `startPair`, with a held handler whose events, 0 to 4, have used up the window. */
  async function startHeld(options: Partial<EndpointOptions> = {}): Promise<void> {
    await startPair(options)
    await b.subscribe(News, handler.handle).ready
    for (const number of numbers(WINDOW)) a.broadcastNowait(News, numbered(number))
    await until(() => log.length === WINDOW)
  }

  const peer = () => a.peers[0]

  /** Resolves when all events and credit that can arrive have arrived. */
  async function passes(): Promise<void> {
    for (let time = 0; time < 3; time++) await a.request('echo')
  }

  async function drain(): Promise<void> {
    handler.release()
    await until(() => peer()?.queuedBytes === 0)
    await passes()
  }

  beforeEach(() => {
    log = []
    handler = new HeldHandler()
  })

  /** What b receives of events 5 to 104, sent at once with the window used up and outbox room for 20. */
  const outcomes: [what: string, overflow: Overflow<Numbered>, expected: typeof log][] = [
    ['wait, if the sender does not wait', 'wait', [{ gap: 80 }, ...fromTo(85, 104)]],
    ['dropOldest', 'dropOldest', [{ gap: 80 }, ...fromTo(85, 104)]],
    ['dropNewest', 'dropNewest', [...fromTo(5, 24), { gap: 80 }]],
    ['latest', 'latest', [{ gap: 99 }, 104]],
    ['latest of each key', { latest: ([number]) => number % 3 }, [{ gap: 97 }, 102, 103, 104]],
  ]

  it('sends nothing of an event whose key is neither a string nor a number, whether anybody listens or not', async () => {
    await startPair({ overflow: { latest: (payload) => Reflect.get(Object(payload), 'id') } })
    b.subscribe('job', () => log.push(-1), { queue: 'workers' })
    await b.subscribe('move', () => log.push(-1)).ready
    for (const type of ['move', 'job', 'unheard']) {
      expect(await rejection(a.broadcast(type, { x: 1 }))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(await rejection(() => a.broadcastNowait(type, { x: 1 }))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
    }
    await passes()
    expect(log).to.deep.equal([])
    expect(a.peers[0]).to.include({ queuedBytes: 0, droppedEvents: 0 })
    expect(await a.broadcast('move', { id: 1 })).to.equal(1)
    await until(() => log.length === 1)
  })

  for (const [what, overflow, expected] of outcomes) {
    for (const [where, options, News] of [
      ['an endpoint', { overflow: untyped(overflow) }, defineEvent<Numbered>('news')],
      ['a definition', {}, defineEvent<Numbered>('news', { overflow })],
    ] as const) {
      it(`${what}, set by ${where}, drops the right events and emits a gap in their place (G5, G7)`, async () => {
        await startHeld(options)
        for (const number of fromTo(5, 104)) {
          a.broadcastNowait(News, numbered(number))
          expect(peer()?.queuedBytes).to.be.at.most(CAP * FRAME)
        }
        const dropped = expected.reduce<number>((sum, one) => sum + (typeof one === 'object' ? one.gap : 0), 0)
        expect(peer()?.droppedEvents).to.equal(dropped)
        await drain()
        expect(log).to.deep.equal([...numbers(WINDOW), ...expected])
        await until(() => handler.ended.length === WINDOW + 100 - dropped)
      })
    }
  }

  it('wait loses nothing if the sender waits', async () => {
    await startHeld()
    let sent = 0
    const sending = (async () => {
      for (const number of fromTo(5, 104)) {
        await a.broadcast(News, numbered(number))
        sent++
      }
    })()
    await until(() => (peer()?.queuedBytes ?? 0) > LIMITS.highWaterMark)
    await passes()
    expect(sent).to.equal(10)
    await Promise.all([drain(), sending])
    await until(() => log.length === 105 && log.every((number, index) => number === index))
    expect(peer()).to.include({ droppedEvents: 0, state: 'connected' })
  })

  it('wait stops waiting for a peer that exceeds patience, until the peer has caught up', async () => {
    await startHeld({ limits: { ...LIMITS, patience: 1 } })
    const lagging = next(a, 'lagging')
    for (const number of fromTo(5, 104)) await a.broadcast(News, numbered(number))
    expect(await lagging).to.include({ name: 'b', state: 'lagging' })
    const recovered = once(a, 'recovered')
    await drain()
    await recovered
    expect(peer()).to.include({ state: 'connected', droppedEvents: 80 })
    expect(log).to.deep.equal([...numbers(WINDOW), { gap: 80 }, ...fromTo(85, 104)])
  })

  it('disconnect ends the link at the outbox limit; both emit lost, reconnect and go on (G5)', async () => {
    await startHeld({ overflow: 'disconnect' })
    const [atA, atB] = [once(a, 'lost'), once(b, 'lost')]
    const [again, againAtB] = [next(a, 'joined'), next(b, 'joined')]
    for (const number of fromTo(5, 104)) a.broadcastNowait(News, numbered(number))
    const [, { cause, undelivered }] = await atA
    expect(cause).to.include({ code: 'LAHJA_OUTBOX_OVERFLOW' })
    const [, loss] = await atB
    expect(loss.cause).to.include({ code: 'LAHJA_LINK_REFUSED', reason: 'overflow' })
    await Promise.all([again, againAtB])
    await until(() => a.isEndpointSubscribedTo('b', 'news'))
    await a.broadcast(News, numbered(105))
    await until(() => log.includes(105))
    expect(log).to.deep.equal([...numbers(WINDOW), 105])
    expect(undelivered).to.equal(100)
  })

  it('has broadcastNowait return false when to wait, and drained resolve when to go on', async () => {
    await startHeld()
    const room = fromTo(5, 24).filter((number) => a.broadcastNowait(News, numbered(number)))
    expect(room).to.deep.equal(fromTo(5, 14))
    const drained = new Watched(a.drained())
    await passes()
    expect(drained.isDone).to.equal(false)
    handler.release()
    await drained.done
    expect(peer()?.queuedBytes).to.be.at.most(LIMITS.highWaterMark)
    await drain()
    expect(a.broadcastNowait(News, numbered(25))).to.equal(true)
    await until(() => log.length === 26)
  })

  it('lets a slow subscription hold up others only once the window is used up (G7)', async () => {
    await startHeld()
    for (const number of fromTo(5, 9)) a.broadcastNowait(News, numbered(number))
    await passes()
    expect(handler.begun.map(numberOf)).to.deep.equal([0])
    expect(log).to.deep.equal(numbers(WINDOW))
    handler.releaseOne()
    await until(() => log.length > WINDOW)
    await passes()
    expect(log).to.deep.equal(numbers(WINDOW + 1))
    await drain()
    expect(log).to.deep.equal(numbers(10))
  })

  describe('and an unread stream', () => {
    for (const [what, end] of [
      ['return', (stream) => stream.return()],
      ['abort', (_stream, controller) => controller.abort()],
      [
        'break',
        async (stream) => {
          for await (const { payload } of stream) {
            expect(numberOf(payload)).to.equal(0)
            break
          }
        },
      ],
    ] satisfies [string, (stream: ReturnType<Endpoint['stream']>, controller: AbortController) => unknown][]) {
      it(`uses up the window until ${what} frees it (G7)`, async () => {
        await startPair()
        const controller = new AbortController()
        const stream = b.stream('news', { signal: controller.signal })
        await stream.ready
        for (const number of numbers(15)) a.broadcastNowait(News, numbered(number))
        await until(() => log.length >= WINDOW)
        await passes()
        expect(log).to.deep.equal(numbers(WINDOW))
        expect(peer()?.queuedBytes).to.equal(10 * FRAME)
        await end(stream, controller)
        await until(() => log.length === 15)
        expect(log).to.deep.equal(numbers(15))
        expect(peer()?.droppedEvents).to.equal(0)
      })
    }

    it('uses up the window also next to a stream that is read at once (G7)', async () => {
      await startPair()
      const got: number[] = []
      const fast = b.stream(News)
      const reading = (async () => {
        for await (const { payload } of fast) got.push(payload[0])
      })()
      const slow = b.stream(News)
      await slow.ready
      for (const number of numbers(15)) {
        a.broadcastNowait(News, numbered(number))
        await passes()
      }
      expect(got).to.deep.equal(numbers(WINDOW))
      await slow.return()
      await until(() => got.length === 15)
      await fast.return()
      await reading
    })

    it('frees the window as the stream is read', async () => {
      await startPair()
      const stream = b.stream(News)
      await stream.ready
      for (const number of numbers(15)) a.broadcastNowait(News, numbered(number))
      await until(() => log.length === WINDOW)
      for (const number of numbers(15)) {
        const { value } = await stream.next()
        expect(numberOf(value?.payload)).to.equal(number)
      }
      expect(log).to.deep.equal(numbers(15))
    })
  })

  it("applies to the endpoint's own subscriptions too (G5, G7)", async () => {
    a = await bus.start('a', { limits: LIMITS, overflow: 'dropOldest' })
    a.subscribe(News, ({ payload: [number] }) => log.push(number))
    a.subscribe(News, handler.handle)
    a.on('gap', ({ count }) => log.push({ gap: count }))
    for (const number of numbers(WINDOW)) a.broadcastNowait(News, numbered(number))
    await until(() => log.length === WINDOW)
    for (const number of fromTo(5, 104)) a.broadcastNowait(News, numbered(number))
    handler.release()
    await until(() => handler.ended.length === WINDOW + CAP)
    expect(log).to.deep.equal([...numbers(WINDOW), { gap: 80 }, ...fromTo(85, 104)])
  })

  describe('at the timeout of close', () => {
    /** Closes the sender. Returns the undelivered events of its CloseTimeout. */
    async function undelivered(): Promise<unknown> {
      const error = await rejection(a.close({ timeout: 50 }))
      return error instanceof CloseTimeout ? [...error.undelivered] : error
    }

    it('counts queued events and those that the peer did not read', async () => {
      await startHeld()
      for (const number of fromTo(5, 14)) a.broadcastNowait(News, numbered(number))
      await passes()
      expect(await undelivered()).to.deep.equal([['b', 15]])
    })

    it('counts dropped events whose gap was not sent', async () => {
      await startHeld({ overflow: 'dropOldest' })
      for (const number of fromTo(5, 104)) a.broadcastNowait(News, numbered(number))
      expect(await undelivered()).to.deep.equal([['b', 105]])
    })

    it('counts events in flight to a peer that does not read its socket once', async () => {
      a = await bus.start('a')
      const peer = await bare(a)
      await peer.want({ type: 'large' })
      peer.pause()
      for (let count = 0; count < 20; count++) a.broadcastNowait('large', Buffer.alloc(300_000))
      expect(await undelivered()).to.deep.equal([['raw', 20]])
    })
  })
})

/** The overflow, typed for events with any payload. */
function untyped(overflow: Overflow<Numbered>): Overflow {
  if (typeof overflow !== 'object') return overflow
  return { latest: (payload) => overflow.latest([numberOf(payload), Buffer.alloc(0)]) }
}
