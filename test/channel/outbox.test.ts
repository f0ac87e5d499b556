import { expect } from 'chai'
import fc from 'fast-check'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits'
import { systemClock } from '../../src/platform/clock'
import { EventEncoder } from '../../src/wire/event-encoder'
import { Slabs } from '../../src/wire/slabs'
import { collectGarbage } from '../support/garbage'
import { SlowReader } from '../support/slow-reader'
import { Watched } from '../support/watched'
import { turn } from '../support/workbench'

function outboxWith(limits: Partial<Limits> = {}, budget = new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes)) {
  const reader = new SlowReader()
  const lagEvents: string[] = []
  const outbox = new Outbox(
    { connection: reader, clock: systemClock, limits: { ...DEFAULT_LIMITS, ...limits }, budget },
    {
      lagging: () => lagEvents.push('lagging'),
      recovered: () => lagEvents.push('recovered'),
      slow: () => lagEvents.push('slow'),
      bulkDrained: () => lagEvents.push('bulkDrained'),
      overflowed: () => lagEvents.push('overflowed'),
    },
  )
  return { reader, outbox, lagEvents }
}

/** Lets everything leave. */
async function flush(reader: SlowReader, outbox: Outbox): Promise<void> {
  reader.read()
  await outbox.flushed()
}

/** Bytes of a frame by `numbered`. */
const FRAME = 10

const WAIT = { kind: 'wait' } as const

describe('Outbox', () => {
  let encoder: EventEncoder

  beforeEach(() => {
    encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes)
  })

  /** A frame of exactly `FRAME` bytes that carries a number. */
  const numbered = (number: number) => encoder.event('n', number)

  it('sends a burst in one write, in order', async () => {
    const { reader, outbox } = outboxWith()
    reader.read()
    for (let number = 0; number < 100; number++) outbox.push(numbered(number), WAIT)
    expect(reader.writes).to.equal(0)
    await outbox.flushed()
    expect(reader.writes).to.equal(1)
    expect(reader.received).to.deep.equal([...Array(100).keys()])
    expect(outbox.queuedBytes).to.equal(0)
    expect(outbox.queuedEvents).to.equal(0)
  })

  it('writes at once, within the tick, when a slab is full', () => {
    const { reader, outbox } = outboxWith()
    outbox.push(encoder.event('big', Buffer.alloc(70_000)), WAIT)
    expect(reader.writes).to.equal(1)
  })

  it('sends control messages before events', async () => {
    const { reader, outbox } = outboxWith()
    outbox.push(encoder.event('n', 1), WAIT)
    outbox.pushMessage({ kind: 'ping' }, 100)
    await flush(reader, outbox)
    expect(reader.messages.map(({ kind }) => kind)).to.deep.equal(['ping', 'event'])
  })

  it('counts queued events until their write has left', async () => {
    const { reader, outbox } = outboxWith()
    const frame = encoder.event('n', Buffer.alloc(1000))
    outbox.push(frame, WAIT)
    const size = frame.end - frame.start
    expect(outbox.queuedBytes).to.equal(size)
    await turn()
    expect(reader.writes).to.equal(1)
    expect(outbox.queuedBytes).to.equal(size)
    await flush(reader, outbox)
    expect(outbox.queuedBytes).to.equal(0)
  })

  it('makes senders wait above the high-water mark, and lets them go on below it', async () => {
    const { reader, outbox } = outboxWith({ highWaterMark: 100, patience: 60_000 })
    outbox.push(encoder.event('n', Buffer.alloc(50)), WAIT)
    expect(outbox.needsDrain).to.equal(false)
    outbox.push(encoder.event('n', Buffer.alloc(50)), WAIT)
    expect(outbox.needsDrain).to.equal(true)
    const drained = new Watched(outbox.drained())
    await turn()
    expect(drained.isDone).to.equal(false)
    reader.read()
    await drained.done
    expect(outbox.needsDrain).to.equal(false)
  })

  it('tells from push which senders should wait', async () => {
    const { reader, outbox } = outboxWith({ highWaterMark: 100, patience: 10 })
    const push = (kind: 'wait' | 'dropOldest') => outbox.push(encoder.event('n', Buffer.alloc(40)), { kind })
    expect([push('wait'), push('wait'), push('wait')]).to.deep.equal([false, false, true])
    expect(push('dropOldest'), 'of another policy').to.equal(false)
    await outbox.drained()
    expect(push('wait'), 'for a lagging peer').to.equal(false)
    await flush(reader, outbox)
    expect([push('wait'), push('wait'), push('wait')]).to.deep.equal([false, false, true])
    outbox.close()
    expect(push('wait'), 'when it is closed').to.equal(false)
  })

  it('keeps the order of events that share their slabs with another outbox (G4)', async () => {
    const step = fc.constantFrom('both', 'both', 'both', 'one', 'other', 'turn', 'read')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const slabs = new Slabs(64)
        const budget = new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes, slabs)
        encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes, slabs)
        const sides = [0, 1].map(() => ({ ...outboxWith({}, budget), sent: [] as number[] }))
        for (const [number, action] of steps.entries()) {
          if (action === 'turn') await turn()
          else if (action === 'read') sides[number % 2]?.reader.readOnce()
          else {
            encoder.releaseSlabs()
            const frame = numbered(number)
            for (const [side, { outbox, sent }] of sides.entries()) {
              if (action === (side === 0 ? 'other' : 'one')) continue
              outbox.push(frame, WAIT)
              sent.push(number)
            }
          }
        }
        for (const { reader, outbox, sent } of sides) {
          await flush(reader, outbox)
          expect(reader.received).to.deep.equal(sent)
        }
        expect(budget.total).to.equal(0)
      }),
    )
  })

  it('makes no sender wait for a lagging peer until it has read everything', async () => {
    const { reader, outbox, lagEvents } = outboxWith({ highWaterMark: 100, patience: 10 })
    outbox.push(encoder.event('n', Buffer.alloc(200)), WAIT)
    await outbox.drained()
    expect(lagEvents).to.deep.equal(['lagging'])
    expect(outbox.isLagging).to.equal(true)
    expect(outbox.needsDrain).to.equal(false)
    await outbox.drained()
    await flush(reader, outbox)
    expect(lagEvents).to.deep.equal(['lagging', 'recovered'])
    expect(outbox.isLagging).to.equal(false)
  })

  it('drops the oldest events when it is full, and sends a gap in their place (G5)', async () => {
    const { reader, outbox } = outboxWith({ outboxBytes: 100 * FRAME })
    for (let number = 1000; number < 1010; number++) outbox.push(numbered(number), WAIT)
    await turn()
    for (let number = 1010; number < 1200; number++) outbox.push(numbered(number), WAIT)
    expect(outbox.queuedBytes).to.be.at.most(100 * FRAME)
    await flush(reader, outbox)
    const first = [...Array(10).keys()].map((index) => 1000 + index)
    const [gap] = reader.received.slice(10)
    expect(gap).to.have.property('gap').that.is.greaterThan(0)
    const dropped = typeof gap === 'object' ? gap.gap : 0
    const rest = [...Array(190 - dropped).keys()].map((index) => 1010 + dropped + index)
    expect(reader.received).to.deep.equal([...first, gap, ...rest])
  })

  it('counts queued bytes and events exactly while a backlog leaves slice by slice', async () => {
    const { reader, outbox } = outboxWith()
    const total = 10_000
    let bytes = 0
    for (let number = 0; number < total; number++) {
      const frame = encoder.event('n', [number + 100_000, Buffer.alloc(100)])
      bytes += frame.end - frame.start
      outbox.push(frame, WAIT)
    }
    let left = 0
    while (outbox.queuedEvents > 0) {
      await turn()
      expect(outbox.queuedEvents).to.equal(total - left)
      expect(outbox.queuedBytes).to.equal(Math.round((bytes / total) * (total - left)))
      reader.readOnce()
      await turn()
      left = reader.messages.length
    }
    expect(reader.writes).to.be.greaterThan(3)
    expect(left).to.equal(total)
    expect(outbox.queuedBytes).to.equal(0)
  })

  it('resolves all waits on close, and returns the undelivered events', async () => {
    const { outbox } = outboxWith({ highWaterMark: 10, patience: 60_000 })
    for (let number = 0; number < 5; number++) outbox.push(numbered(number), WAIT)
    const drained = outbox.drained()
    expect(outbox.close()).to.deep.equal({ undelivered: 5, unconfirmed: 0 })
    await drained
    expect(outbox.close()).to.deep.equal({ undelivered: 0, unconfirmed: 0 })
    outbox.push(numbered(6), WAIT)
    expect(outbox.queuedEvents).to.equal(5)
    outbox.discard()
    expect([outbox.queuedEvents, outbox.queuedBytes]).to.deep.equal([0, 0])
  })

  it('counts dropped events that no gap has reported as undelivered on close (G5)', async () => {
    const { outbox } = outboxWith({ outboxBytes: 100 * FRAME })
    for (let number = 1000; number < 2000; number++) outbox.push(numbered(number), WAIT)
    expect(outbox.close()).to.deep.equal({ undelivered: 1000, unconfirmed: 0 })
  })

  it('counts the events of a gap as unconfirmed until credit proves that the peer has read it (G5)', async () => {
    async function remainder(events: number, credited: number, isRead: boolean, isAllRead = false) {
      const { reader, outbox } = outboxWith({ outboxBytes: 10 * FRAME })
      if (isRead) reader.read()
      for (let number = 200; number < 212; number++) {
        outbox.push(numbered(number), { kind: 'dropNewest' })
      }
      await turn()
      for (let number = 210; number < 200 + events; number++) outbox.push(numbered(number), WAIT)
      if (isRead) await outbox.flushed()
      if (credited > 0) outbox.credit(credited * FRAME, credited)
      if (isAllRead) outbox.credit(0, 0)
      return outbox.close()
    }
    expect(await remainder(10, 0, false), 'being written').to.deep.equal({ undelivered: 12, unconfirmed: 0 })
    expect(await remainder(10, 0, true), 'written').to.deep.equal({ undelivered: 0, unconfirmed: 12 })
    expect(await remainder(10, 10, true), 'with nothing behind it').to.deep.equal({ undelivered: 0, unconfirmed: 2 })
    expect(await remainder(10, 10, true, true), 'with credit of 0').to.deep.equal({ undelivered: 0, unconfirmed: 0 })
    expect(await remainder(12, 11, true), 'with an event behind it').to.deep.equal({ undelivered: 0, unconfirmed: 1 })
  })

  it('does not take a gap for read while later events have not left (G5)', async () => {
    const { reader, outbox } = outboxWith({ outboxBytes: 10 * FRAME })
    for (let number = 200; number < 212; number++) outbox.push(numbered(number), { kind: 'dropNewest' })
    await turn()
    reader.readOnce()
    await turn()
    for (let number = 0; number < 11; number++) outbox.push(numbered(number), WAIT)
    await turn()
    expect(outbox.close()).to.deep.equal({ undelivered: 11, unconfirmed: 12 })
  })

  it('does not count events as undelivered that got credit while their write was under way', async () => {
    const { outbox } = outboxWith()
    for (let number = 0; number < 5; number++) outbox.push(numbered(number), WAIT)
    await turn()
    outbox.credit(3 * FRAME, 3)
    expect(outbox.close()).to.deep.equal({ undelivered: 2, unconfirmed: 0 })
  })

  it('lets waiting senders go on when its events are dropped for the budget of all outboxes (G7, G8)', async () => {
    const budget = new MemoryBudget(1_000_000)
    const [one, other] = [1, 2].map(() => outboxWith({ highWaterMark: 500_000, patience: 60_000 }, budget).outbox)
    for (const outbox of [one, other]) if (outbox) outbox.window = 0
    for (let count = 0; count < 4; count++) one?.push(encoder.event('e', Buffer.alloc(150_000)), WAIT)
    const drained = one?.drained()
    expect(one?.needsDrain).to.equal(true)
    for (let count = 0; count < 5; count++) other?.push(encoder.event('e', Buffer.alloc(90_000)), WAIT)
    expect(one).to.include({ needsDrain: false, queuedEvents: 3 })
    expect(other?.queuedEvents).to.equal(5)
    await drained
    for (const outbox of [one, other]) outbox?.close()
  })

  it('keeps its events when others exceed the budget with writes that cannot be dropped (G8)', async () => {
    const budget = new MemoryBudget(1_000_000)
    const [healthy, ...stopped] = [1, 2, 3].map(() => outboxWith({}, budget).outbox)
    for (const outbox of stopped) outbox.push(encoder.event('e', Buffer.alloc(600_000)), WAIT)
    await turn()
    for (let number = 0; number < 50; number++) healthy?.push(numbered(number), WAIT)
    expect(healthy).to.include({ queuedEvents: 50, droppedEvents: 0 })
    for (const outbox of [healthy, ...stopped]) outbox?.close()
  })

  it('keeps no slab alive for a few small events queued for a slow peer (G7)', async () => {
    const { outbox } = outboxWith()
    outbox.push(numbered(1), WAIT)
    await turn()
    await collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    for (let number = 0; number < 1000; number++) {
      encoder.releaseSlabs()
      outbox.push(numbered(number), WAIT)
      for (let other = 0; other < 4; other++) encoder.event('other', Buffer.alloc(16_000))
    }
    await collectGarbage()
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(32 * 1024 * 1024)
  })

  it('delivers or counts every event in random runs of pushes and reads (G5, G7)', async () => {
    const cap = 64 * 1024
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 40 }), bytes: fc.integer({ min: 0, max: 20_000 }) }),
      fc.constant('read' as const),
      fc.constant('turn' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { reader, outbox } = outboxWith({ outboxBytes: cap })
        let sent = 0
        for (const action of steps) {
          if (action === 'turn') await turn()
          else if (action === 'read') reader.readOnce()
          else {
            for (let count = 0; count < action.push; count++) {
              sent++
              outbox.push(encoder.event('e', { sent, filler: Buffer.alloc(action.bytes) }), WAIT)
              // The newest event is queued beside a write that fills the outbox.
              expect(outbox.queuedBytes).to.be.within(0, cap + 21_000)
              expect(outbox.queuedEvents).to.be.at.least(0)
            }
          }
        }
        await flush(reader, outbox)
        expect(outbox.queuedBytes).to.equal(0)
        expect(outbox.queuedEvents).to.equal(0)
        let next = 1
        for (const message of reader.messages) {
          if (message.kind === 'gap') next += message.count
          else if (message.kind === 'event') {
            expect(message.payload).to.have.property('sent', next)
            next++
          }
        }
        expect(next).to.equal(sent + 1)
      }),
      { numRuns: 150 },
    )
  })

  it('drops no other event for the latest of a key if dropping the older one makes room enough', async () => {
    // An event of this policy has a buffer of its own, which costs about 320 bytes more.
    const { reader, outbox } = outboxWith({ outboxBytes: 4 * (FRAME + 320), highWaterMark: FRAME })
    outbox.window = 1
    outbox.push(numbered(0), WAIT)
    void outbox.flushed()
    reader.readOnce()
    await turn()
    const keys = ['a', 'b', 'c', 'd', 'd']
    for (const [index, key] of keys.entries()) outbox.push(numbered(200 + index), { kind: 'latest', key })
    expect(outbox).to.include({ queuedEvents: 4, droppedEvents: 1 })
    reader.read()
    outbox.window = DEFAULT_LIMITS.windowBytes
    await outbox.flushed()
    expect(reader.received).to.deep.equal([0, 200, 201, 202, { gap: 1 }, 204])
  })
})
