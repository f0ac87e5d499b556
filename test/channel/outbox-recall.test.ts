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

/** What waits in an outbox, from the side that fills it. */
function outboxWith(limits: Partial<Limits> = {}) {
  const clock = new ManualClock()
  const reader = new SlowReader()
  const paces: string[] = []
  const outbox = new Outbox(
    {
      connection: reader,
      clock,
      limits: { ...DEFAULT_LIMITS, ...limits },
      budget: new MemoryBudget(8 * 1024 * 1024),
    },
    { lagging: () => paces.push('lagging'), recovered: () => paces.push('recovered'), overflowed() {} },
  )
  const encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes)
  const event = (number: number, filler = 0) => encoder.event('e', [number, Buffer.alloc(filler)])
  return {
    clock,
    reader,
    outbox,
    paces,
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

describe('Outbox, when it is told to give back,', () => {
  it('gives back the assignments, and sends the events among them in their order', async () => {
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

  it('gives back only those that are meant, and asks about nothing else', async () => {
    const { outbox, reader, event, assign, flush } = outboxWith()
    for (let number = 0; number < 6; number++) assign(number)
    event(6)
    const asked: number[] = []
    const recalled = outbox.removeAssignments((frame) => {
      const [number = -1] = numbersIn([frame])
      asked.push(number)
      return number % 2 === 0
    })
    expect(asked).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(numbersIn(recalled)).to.deep.equal([0, 2, 4])
    await flush()
    expect(arrivals(reader)).to.deep.equal([1, 3, 5, 6])
  })

  it('gives back nothing that has been handed to the connection', async () => {
    const { clock, outbox, reader, assign, flush } = outboxWith()
    assign(0)
    clock.turn()
    assign(1)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([1])
    await flush()
    expect(arrivals(reader)).to.deep.equal([0])
  })

  it('gives back nothing twice', () => {
    const { outbox, assign } = outboxWith()
    assign(0)
    expect(outbox.removeAssignments(() => true)).to.have.lengthOf(1)
    expect(outbox.removeAssignments(() => true)).to.deep.equal([])
    assign(1)
    outbox.close()
    expect(outbox.removeAssignments(() => true)).to.have.lengthOf(1)
    expect(outbox.removeAssignments(() => true)).to.deep.equal([])
  })

  it('gives back also when it is closed, what had not left by then', () => {
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

  it('lets senders go on that have waited for what it gives back', async () => {
    const { outbox, assign } = outboxWith({ highWaterMark: 500, patience: 60_000 })
    for (let number = 0; number < 3; number++) assign(number, 300)
    expect(outbox.needsDrain).to.equal(true)
    const relief = outbox.drained()
    outbox.removeAssignments(() => true)
    expect(outbox.needsDrain).to.equal(false)
    await relief
  })

  it('has recovered when the peer reads, not when nothing is left', async () => {
    const { clock, outbox, paces, assign, flush } = outboxWith({ highWaterMark: 500, patience: 10 })
    assign(0, 300)
    clock.turn()
    for (let number = 1; number < 3; number++) assign(number, 300)
    void outbox.drained()
    clock.advance(10)
    expect(paces).to.deep.equal(['lagging'])
    outbox.removeAssignments(() => true)
    expect(paces).to.deep.equal(['lagging'])
    expect(outbox.isLagging).to.equal(true)
    await flush()
    expect(paces).to.deep.equal(['lagging', 'recovered'])
    expect(outbox.isLagging).to.equal(false)
  })

  it('counts what it drops of assignments apart from what it drops of events', () => {
    const { outbox, event, assign } = outboxWith({ outboxBytes: 2000, highWaterMark: 0 })
    for (let number = 0; number < 3; number++) event(number, 300)
    for (let number = 3; number < 6; number++) assign(number, 300)
    expect(outbox.droppedAssignments).to.equal(0)
    for (let number = 6; number < 10; number++) assign(number, 300)
    expect(outbox.droppedAssignments).to.equal(1)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([4, 5, 6, 7, 8, 9])
    expect(outbox.droppedAssignments).to.equal(1)
  })

  it('counts as dropped an assignment that there is no room for at all', () => {
    const { clock, outbox, event, assign } = outboxWith({ outboxBytes: 2000, highWaterMark: 0 })
    event(0, 1500)
    clock.turn()
    assign(1, 600, 'dropNewest')
    expect(outbox.queuedEvents).to.equal(1)
    expect(outbox.droppedAssignments).to.equal(1)
  })

  it('has room for the newest beside what is being written', () => {
    const { clock, outbox, assign } = outboxWith({ outboxBytes: 2000, highWaterMark: 0 })
    assign(0, 1500)
    clock.turn()
    for (const number of [1, 2, 3]) assign(number, 600)
    expect(numbersIn(outbox.removeAssignments(() => true))).to.deep.equal([3])
    expect(outbox.droppedAssignments).to.equal(2)
  })

  it('loses nothing, sends nothing twice and keeps the order, whatever comes in whatever order', async () => {
    const filler = fc.constantFrom(0, 10, 3000, 20_000)
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constantFrom('event', 'assign'), filler) },
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom('turn', 'read'), fc.constant(0)) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('recall'), fc.integer({ min: 1, max: 3 })) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, outbox, reader, flush, ...push } = outboxWith()
        const recalled: number[] = []
        let sent = 0
        for (const [action, number] of steps) {
          if (action === 'event' || action === 'assign') push[action](sent++, number)
          else if (action === 'turn') clock.turn()
          else if (action === 'read') {
            reader.readOnce()
            await new Promise((resolve) => setImmediate(resolve))
          } else {
            const isMeant = (frame: Frame) => numbersIn([frame]).every((one) => one % number === 0)
            const frames = outbox.removeAssignments(isMeant)
            recalled.push(...numbersIn(frames))
            for (const { bytes, start, end } of frames)
              expect(bytes.readUInt32BE(start)).to.equal(end - start - PREFIX_BYTES)
          }
        }
        await flush()
        const arrived = arrivals(reader)
        expect(arrived).to.deep.equal([...arrived].sort((one, other) => one - other))
        expect([...arrived, ...recalled].sort((one, other) => one - other)).to.deep.equal([...Array(sent).keys()])
        expect([outbox.queuedBytes, outbox.queuedEvents]).to.deep.equal([0, 0])
      }),
      { numRuns: 150 },
    )
  })
})
