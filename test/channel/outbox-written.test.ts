import { expect } from 'chai'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { systemClock } from '../../src/platform/clock'
import { encodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { SlowReader } from '../support/slow-reader'
import { Watched } from '../support/watched'
import { turn } from '../support/workbench'

const WAIT = { kind: 'wait' } as const

describe('The small messages of an outbox', () => {
  let reader: SlowReader
  let outbox: Outbox

  beforeEach(() => {
    reader = new SlowReader()
    const budget = new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes)
    outbox = new Outbox(
      { connection: reader, clock: systemClock, limits: DEFAULT_LIMITS, budget },
      { lagging() {}, recovered() {}, slow() {}, bulkDrained() {}, overflowed() {} },
    )
  })

  const ping = () => outbox.pushMessage({ kind: 'ping' }, 100)
  const event = () => outbox.push(new EventEncoder(1000).event('n', 1), WAIT)

  it('are written when there are none', async () => {
    expect(outbox.writeControl()).to.equal(true)
    expect(await outbox.controlWritten()).to.equal(true)
    expect(reader.writes).to.equal(0)
  })

  it('are written at once, within the tick, to a connection that takes them', async () => {
    reader.read()
    ping()
    ping()
    expect([outbox.writeControl(), reader.writes]).to.deep.equal([true, 1])
    expect(reader.messages).to.deep.equal([{ kind: 'ping' }, { kind: 'ping' }])
    expect(await outbox.controlWritten()).to.equal(true)
    await turn()
    expect(reader.writes).to.equal(1)
  })

  it('take the events that are queued along', () => {
    reader.read()
    outbox.window = 1000
    event()
    ping()
    expect(outbox.writeControl()).to.equal(true)
    expect(reader.messages.map(({ kind }) => kind)).to.deep.equal(['ping', 'event'])
  })

  it('are written although events wait for a window', () => {
    reader.read()
    outbox.window = 0
    event()
    ping()
    expect(outbox.writeControl()).to.equal(true)
    expect(reader.messages[0]?.kind).to.equal('ping')
  })

  it('are written only when their write has left this process', async () => {
    ping()
    expect(outbox.writeControl()).to.equal(false)
    const written = new Watched(outbox.controlWritten().then((areWritten) => expect(areWritten).to.equal(true)))
    await turn()
    expect([written.isDone, outbox.writeControl()]).to.deep.equal([false, false])
    reader.readOnce()
    await written.done
    expect(outbox.writeControl()).to.equal(true)
  })

  it('are not written while those behind another write are not', async () => {
    event()
    await turn()
    ping()
    expect(outbox.writeControl(), 'behind the write of an event').to.equal(false)
    const written = new Watched(outbox.controlWritten())
    reader.readOnce()
    await turn()
    expect([written.isDone, reader.writes]).to.deep.equal([false, 2])
    reader.readOnce()
    await written.done
    expect(reader.messages.map(({ kind }) => kind)).to.deep.equal(['event', 'ping'])
  })

  it('are written although more than one write is needed for them', async () => {
    for (let count = 0; count < 50_000; count++) ping()
    expect(outbox.writeControl()).to.equal(false)
    const written = new Watched(outbox.controlWritten())
    while (!written.isDone) {
      expect(reader.messages.length).to.be.below(50_000)
      reader.readOnce()
      await turn()
    }
    expect(reader.messages.length).to.equal(50_000)
    expect(reader.writes).to.be.above(1)
  })

  it('are written although messages with payloads are queued behind them', () => {
    reader.read()
    for (let id = 0; id < 3; id++) {
      outbox.pushBulk(encodeMessage({ kind: 'response', id, payload: Buffer.alloc(200_000) }))
    }
    ping()
    expect(outbox.writeControl()).to.equal(true)
    expect(reader.messages[0]?.kind).to.equal('ping')
  })

  it('are told to all that wait for them', async () => {
    ping()
    outbox.writeControl()
    const waits = [outbox.controlWritten(), outbox.controlWritten()]
    reader.readOnce()
    expect(await Promise.all(waits)).to.deep.equal([true, true])
  })

  it('are never written once the outbox is closed', async () => {
    ping()
    outbox.writeControl()
    const waiting = outbox.controlWritten()
    outbox.close()
    expect(await waiting).to.equal(false)
    expect(outbox.writeControl()).to.equal(false)
    expect(await outbox.controlWritten()).to.equal(false)
    reader.read()
    expect(outbox.writeControl()).to.equal(false)
  })
})
