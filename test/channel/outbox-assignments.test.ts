import { expect } from 'chai'
import fc from 'fast-check'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits'
import { assignmentOf } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { type Frame, PREFIX_BYTES } from '../../src/wire/frame'
import { ManualClock } from '../support/manual-clock'
import { SlowReader } from '../support/slow-reader'

const WAIT = { kind: 'wait' } as const

/** An outbox and short ways to fill it. */
function outboxWith(limits: Partial<Limits> = {}) {
  const clock = new ManualClock()
  const reader = new SlowReader()
  const lagEvents: string[] = []
  const outbox = new Outbox(
    { connection: reader, clock, limits: { ...DEFAULT_LIMITS, ...limits }, budget: new MemoryBudget(8 * 1024 * 1024) },
    {
      lagging: () => lagEvents.push('lagging'),
      recovered: () => lagEvents.push('recovered'),
      slow() {},
      overflowed() {},
      bulkDrained() {},
    },
  )
  const encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes)
  const event = (number: number, filler = 0) => encoder.event('e', [number, Buffer.alloc(filler)])
  return {
    clock,
    reader,
    outbox,
    lagEvents,
    event: (number: number, filler?: number) => outbox.push(event(number, filler), WAIT),
    assign: (number: number, filler?: number, kind: 'wait' | 'dropNewest' = 'wait') => {
      outbox.push(encoder.assignment(event(number, filler), { queue: 'q', type: 'e', isFixed: false }), { kind })
    },
    flush: async () => {
      reader.read()
      await outbox.flushed()
    },
  }
}

const numberOf = (payload: unknown) => (Array.isArray(payload) && typeof payload[0] === 'number' ? payload[0] : -1)
const numbersIn = (frames: readonly Frame[]) => frames.map((frame) => numberOf(assignmentOf(frame).payload))

/** The numbers of the events and assignments that the reader has got. */
function arrivals({ messages }: SlowReader): number[] {
  return messages.flatMap((message) => {
    return message.kind === 'event' || message.kind === 'assign' ? [numberOf(message.payload)] : []
  })
}

describe('Outbox.removeAssignments', () => {
  it('removes queue events and leaves the other events in order', async () => {
    const { outbox, reader, event, assign, flush } = outboxWith()
    event(0)
    for (const number of [1, 2]) assign(number)
    event(3)
    assign(4)
    event(5)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([1, 2, 4])
    expect(outbox.queuedEvents).to.equal(3)
    await flush()
    expect(arrivals(reader)).to.deep.equal([0, 3, 5])
    expect(outbox.queuedBytes).to.equal(0)
    expect(outbox.queuedEvents).to.equal(0)
  })

  it('asks only about queue events, and removes only the wanted ones', async () => {
    const { outbox, reader, event, assign, flush } = outboxWith()
    for (let number = 0; number < 6; number++) assign(number)
    event(6)
    const asked: number[] = []
    const removed = outbox.removeAssignments((frame) => {
      const [number = -1] = numbersIn([frame])
      asked.push(number)
      return number % 2 === 0
    })
    expect(asked).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(numbersIn(removed)).to.deep.equal([0, 2, 4])
    await flush()
    expect(arrivals(reader)).to.deep.equal([1, 3, 5, 6])
  })

  it('does not remove events that are being written', async () => {
    const { clock, outbox, reader, assign, flush } = outboxWith()
    assign(0)
    clock.turn()
    assign(1)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([1])
    await flush()
    expect(arrivals(reader)).to.deep.equal([0])
  })

  it('returns no event twice', () => {
    const { outbox, assign } = outboxWith()
    assign(0)
    expect(outbox.removeAssignments(() => true)).to.have.lengthOf(1)
    expect(outbox.removeAssignments(() => true)).to.deep.equal([])
    assign(1)
    outbox.close()
    expect(outbox.removeAssignments(() => true)).to.have.lengthOf(1)
    expect(outbox.removeAssignments(() => true)).to.deep.equal([])
  })

  it('removes events from a closed outbox until it is discarded', () => {
    const { clock, outbox, event, assign } = outboxWith()
    assign(0)
    clock.turn()
    event(1)
    assign(2)
    expect(outbox.close()).to.deep.equal({ undelivered: 3, unconfirmed: 0 })
    assign(3)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([2])
    expect(outbox.queuedEvents).to.equal(1)
    outbox.discard()
    expect(outbox.queuedEvents).to.equal(0)
    expect(outbox.removeAssignments(() => true)).to.deep.equal([])
  })

  it('lets waiting senders go on', async () => {
    const { outbox, assign } = outboxWith({ highWaterMark: 500, patience: 60_000 })
    for (let number = 0; number < 3; number++) assign(number, 300)
    expect(outbox.needsDrain).to.equal(true)
    const drained = outbox.drained()
    outbox.removeAssignments(() => true)
    expect(outbox.needsDrain).to.equal(false)
    await drained
  })

  it('does not make a lagging peer recover with the next control message either', async () => {
    const { clock, outbox, lagEvents, assign, flush } = outboxWith({ highWaterMark: 500, patience: 10 })
    outbox.window = 1
    assign(0, 1000)
    await flush()
    assign(1, 1000)
    void outbox.drained()
    clock.advance(10)
    expect(lagEvents).to.deep.equal(['lagging'])
    outbox.removeAssignments(() => true)
    outbox.pushMessage({ kind: 'ping' }, 100)
    await flush()
    expect(outbox.queuedBytes).to.equal(0)
    expect(lagEvents).to.deep.equal(['lagging'])
    outbox.credit(1100, 1)
    expect(lagEvents).to.deep.equal(['lagging', 'recovered'])
  })

  it('does not make a lagging peer recover: only reading does', async () => {
    const { clock, outbox, lagEvents, assign, flush } = outboxWith({ highWaterMark: 500, patience: 10 })
    assign(0, 300)
    clock.turn()
    for (let number = 1; number < 3; number++) assign(number, 300)
    void outbox.drained()
    clock.advance(10)
    expect(lagEvents).to.deep.equal(['lagging'])
    outbox.removeAssignments(() => true)
    expect(lagEvents).to.deep.equal(['lagging'])
    expect(outbox.isLagging).to.equal(true)
    await flush()
    expect(lagEvents).to.deep.equal(['lagging', 'recovered'])
    expect(outbox.isLagging).to.equal(false)
  })

  it('returns no dropped queue events, which are counted apart from other dropped events', () => {
    const { outbox, event, assign } = outboxWith({ outboxBytes: 2000, highWaterMark: 0 })
    for (let number = 0; number < 3; number++) event(number, 300)
    for (let number = 3; number < 6; number++) assign(number, 300)
    expect(outbox.droppedAssignments).to.equal(0)
    for (let number = 6; number < 10; number++) assign(number, 300)
    expect(outbox.droppedAssignments).to.equal(1)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([4, 5, 6, 7, 8, 9])
    expect(outbox.droppedAssignments).to.equal(1)
  })

  it('returns no queue event that was dropped because nothing else could be', () => {
    const { clock, outbox, event, assign } = outboxWith({ outboxBytes: 2000, highWaterMark: 0 })
    event(0, 1500)
    clock.turn()
    assign(1, 600, 'dropNewest')
    expect(outbox.queuedEvents).to.equal(1)
    expect(outbox.droppedAssignments).to.equal(1)
  })

  it('returns the newest queue event, which is queued beside a write that fills the outbox', () => {
    const { clock, outbox, assign } = outboxWith({ outboxBytes: 2000, highWaterMark: 0 })
    assign(0, 1500)
    clock.turn()
    for (const number of [1, 2, 3]) assign(number, 600)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([3])
    expect(outbox.droppedAssignments).to.equal(2)
  })

  it('loses nothing, sends nothing twice and keeps the order in random runs', async () => {
    const filler = fc.constantFrom(0, 10, 3000, 20_000)
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constantFrom('event', 'assign'), filler) },
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom('turn', 'read'), fc.constant(0)) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('remove'), fc.integer({ min: 1, max: 3 })) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, outbox, reader, flush, ...push } = outboxWith()
        const removed: number[] = []
        let sent = 0
        for (const [action, number] of steps) {
          if (action === 'event' || action === 'assign') push[action](sent++, number)
          else if (action === 'turn') clock.turn()
          else if (action === 'read') {
            reader.readOnce()
            await new Promise((resolve) => setImmediate(resolve))
          } else {
            const isWanted = (frame: Frame) => numbersIn([frame]).every((one) => one % number === 0)
            const frames = outbox.removeAssignments(isWanted)
            removed.push(...numbersIn(frames))
            for (const { bytes, start, end } of frames)
              expect(bytes.readUInt32BE(start)).to.equal(end - start - PREFIX_BYTES)
          }
        }
        await flush()
        const arrived = arrivals(reader)
        expect(arrived).to.deep.equal([...arrived].sort((one, other) => one - other))
        expect([...arrived, ...removed].sort((one, other) => one - other)).to.deep.equal([...Array(sent).keys()])
        expect([outbox.queuedBytes, outbox.queuedEvents]).to.deep.equal([0, 0])
      }),
      { numRuns: 150 },
    )
  })
})
