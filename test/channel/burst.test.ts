import { expect } from 'chai'
import fc from 'fast-check'
import { Burst } from '../../src/channel/burst'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { EventEncoder } from '../../src/wire/event-encoder'
import type { Frame } from '../../src/wire/frame'
import { SLAB_BYTES, Slabs } from '../../src/wire/slabs'
import { ManualClock } from '../support/manual-clock'
import { SlowReader } from '../support/slow-reader'

const WAIT = { kind: 'wait' } as const

describe('Burst', () => {
  let clock: ManualClock
  let slabs: Slabs
  let encoder: EventEncoder
  let readers: SlowReader[]
  let targets: { outbox: Outbox }[]

  beforeEach(() => begin())

  function begin(): void {
    clock = new ManualClock()
    slabs = new Slabs()
    encoder = new EventEncoder(DEFAULT_LIMITS.frameBytes, slabs)
    const holdings = new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes, slabs)
    readers = [new SlowReader(), new SlowReader()]
    targets = readers.map((connection) => {
      const context = { connection, clock, limits: DEFAULT_LIMITS, holdings }
      return { outbox: new Outbox(context, { lagging() {}, recovered() {}, overflowed() {} }) }
    })
  }

  function burstOf(frame: Frame): Burst {
    const burst = new Burst(targets, frame, slabs)
    for (const { outbox } of targets) outbox.join(burst)
    return burst
  }

  it('leaves to all of its outboxes in one write each, at the end of the turn', () => {
    const burst = burstOf(encoder.event('n', 0))
    for (const number of [1, 2]) expect(burst.extend(targets, encoder.event('n', number))).to.equal(true)
    clock.turn()
    for (const reader of readers) {
      reader.read()
      expect(reader.received).to.deep.equal([0, 1, 2])
      expect(reader.writes).to.equal(1)
    }
  })

  it('takes only what is for the same and lies right behind', () => {
    const burst = burstOf(encoder.event('n', 0))
    expect(burst.extend([...targets], encoder.event('n', 1))).to.equal(false)
    expect(burst.extend(targets, encoder.event('n', 2))).to.equal(false)
  })

  it('is counted by whoever looks, and takes nothing more then', () => {
    const burst = burstOf(encoder.event('n', 0))
    const [one, other] = targets
    expect(one?.outbox).to.include({ queuedEvents: 1, queuedBytes: 9 })
    expect(burst.extend(targets, encoder.event('n', 1))).to.equal(false)
    expect(other?.outbox.queuedEvents).to.equal(1)
  })

  it('is among what dies with an outbox that is closed (G5)', () => {
    const burst = burstOf(encoder.event('n', 0))
    burst.extend(targets, encoder.event('n', 1))
    expect(targets[0]?.outbox.close()).to.deep.equal({ undelivered: 2, unconfirmed: 0 })
    clock.turn()
    readers[1]?.read()
    expect(readers[1]?.received).to.deep.equal([0, 1])
  })

  it('is not for an outbox that could not take a slab of it without a wait', () => {
    const outbox = targets[0]?.outbox
    expect(outbox?.isOpenForBurst).to.equal(true)
    const room = DEFAULT_LIMITS.highWaterMark - SLAB_BYTES
    while ((outbox?.queuedBytes ?? 0) <= room) outbox?.push(encoder.event('n', Buffer.alloc(1000)), WAIT)
    expect(outbox?.isOpenForBurst).to.equal(false)
  })

  it('keeps the order of all events, whatever is sent alone and whatever in bursts (G4)', async () => {
    const step = fc.constantFrom('burst', 'extend', 'alone', 'turn', 'look')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        begin()
        let sent = 0
        let burst: Burst | undefined
        for (const action of steps) {
          const frame = encoder.event('n', sent)
          if (action === 'turn') clock.turn()
          else if (action === 'look') void targets[sent % 2]?.outbox.queuedBytes
          else {
            sent++
            if (action === 'burst') burst = burstOf(frame)
            else if (action === 'alone' || !burst?.extend(targets, frame)) {
              for (const { outbox } of targets) outbox.push(frame, WAIT)
            }
          }
        }
        for (const reader of readers) reader.read()
        for (const { outbox } of targets) await outbox.flushed()
        for (const reader of readers) {
          expect(reader.received).to.deep.equal([...Array(sent).keys()])
        }
      }),
    )
  })
})
