import { expect } from 'chai'
import { useBus } from './bus'
import { KEYS } from './flood'
import type { RemoteEndpoint } from './remote-endpoint'
import type { RemoteProcess } from './remote-process'
import { missingIn, numbersIn, type Stretch, type TallyReport } from './tally'
import { until } from './until'

const KIB = 1024
const MIB = 1024 * KIB

/** Bytes allowed beyond the bound, for garbage that has not been collected yet. */
const SLACK = 32 * MIB

/** Small enough to fill up at once. */
const TIGHT = {
  frameBytes: 8 * KIB,
  windowBytes: 16 * KIB,
  highWaterMark: 16 * KIB,
  outboxBytes: 64 * KIB,
  patience: 60_000,
}

describe('backpressure between processes', () => {
  const bus = useBus()

  describe('with a peer that is stopped during 120,000 broadcasts of 1 KiB', () => {
    const COUNT = 120_000
    const PATIENCE = 3000
    /** Events until code is compiled and the heap has its usual size. */
    const WARM_UP = 40_000

    it('G5, G7, G8: delays one broadcast, no other peer, bounds memory and reports the exact gap', async () => {
      const sender = await bus.start('sender', { limits: { patience: PATIENCE } })
      const [fast, stopped] = [await bus.start('fast'), await bus.start('stopped')]
      for (const consumer of [fast, stopped]) await consumer.read('warm-up')
      await sender.flood('warm-up', { count: WARM_UP, filler: KIB, waits: true })
      for (const consumer of [fast, stopped]) await consumer.untilRead('warm-up', WARM_UP - 1)
      for (const consumer of [fast, stopped]) await consumer.read('tick')

      stopped.process.stop()
      const report = await sender.flood('tick', { count: COUNT, filler: KIB, waits: true })
      await fast.untilRead('tick', COUNT - 1)

      expect((await fast.tally('tick')).stretches).to.deep.equal([{ first: 0, count: COUNT }])
      expect(report.growth, 'memory of the sender').to.be.below(8 * MIB + SLACK)
      expect(report.queued).to.be.at.most(8 * MIB)
      expect(report.longest[0], 'the broadcast that waits').to.be.at.least(PATIENCE - 1)
      expect(report.longest[1], 'any other broadcast').to.be.below(PATIENCE - 1)
      expect(noticesAbout('stopped', await sender.notices())).to.deep.equal(['joined', 'lagging'])

      stopped.process.continue()
      await sender.untilNotice('recovered', 'stopped')
      expect(await sender.broadcast('tick', 100, COUNT)).to.equal(2)
      await stopped.untilRead('tick', COUNT + 99)

      const { stretches, growth } = await stopped.tally('tick')
      const [prefix, gap, tail] = stretches
      expect(stretches).to.have.length(3)
      expect(prefix?.first, 'the events sent before the stop come first').to.equal(0)
      expect(gap?.first, 'the gap comes next').to.equal(undefined)
      expect(tail?.first).to.equal((prefix?.count ?? 0) + (gap?.count ?? 0))
      expectComplete(stretches, COUNT + 100)
      expect(growth, 'memory of the stopped peer').to.be.below(SLACK)
      const [standing] = (await sender.standings()).filter(({ name }) => name === 'stopped')
      expect(standing?.droppedEvents).to.equal(missingIn(stretches))
    })
  })

  describe('with a reader that takes 5 ms for each event', () => {
    const COUNT = 600

    for (const streams of [false, true]) {
      it(`G6, G7: slows a sender down to the speed of ${streams ? 'a for await loop' : 'an async handler'}`, async () => {
        const sender = await bus.start('sender', { limits: TIGHT })
        const slow = await bus.start('slow', { limits: TIGHT })
        await slow.read('tick', { takes: 5, streams })

        const report = await sender.flood('tick', { count: COUNT, filler: KIB, waits: true })
        await slow.untilRead('tick', COUNT - 1)

        const { stretches, growth } = await slow.tally('tick')
        expect(stretches).to.deep.equal([{ first: 0, count: COUNT }])
        expect(report.queued, 'over the mark by one event at most').to.be.below(TIGHT.highWaterMark + 2 * KIB)
        expect(Math.max(report.growth, growth)).to.be.below(SLACK)
        expect(noticesAbout('slow', await sender.notices())).to.deep.equal(['joined'])
      })
    }
  })

  describe('with an overflow policy for one type', () => {
    const COUNT = 20_000
    const bus = useBus('shared')
    let processes: readonly RemoteProcess[]
    let sender: RemoteEndpoint
    let slow: RemoteEndpoint

    before(async () => {
      processes = await bus.processes.participants(2)
    })
    beforeEach(async () => {
      const [one, other] = processes
      if (!one || !other) throw new TypeError('expected two processes')
      sender = await bus.startIn(one, 'sender', { limits: TIGHT })
      slow = await bus.startIn(other, 'slow', { limits: TIGHT })
    })
    afterEach(() => Promise.all([sender.close(), slow.close()]))

    /** The events read of a flood without awaits, and of one more event after it. */
    async function flooded(type: string, streams: boolean): Promise<TallyReport> {
      await slow.read(type, { takes: 1, streams })
      const { queued, growth } = await sender.flood(type, { count: COUNT, filler: KIB })
      expect(queued).to.be.at.most(TIGHT.outboxBytes)
      expect(growth).to.be.below(SLACK)
      await until(async () => (await sender.standings()).every(({ queuedBytes }) => queuedBytes === 0))
      await sender.broadcast(type, 1, COUNT)
      await slow.untilRead(type, COUNT)
      return slow.tally(type)
    }

    for (const streams of [false, true]) {
      const reader = streams ? 'a for await loop' : 'a handler'

      it(`G5: gives ${reader} the newest events with dropOldest, and reports the gaps`, async () => {
        await sender.defineEvent('tick', { overflow: 'dropOldest' })
        const { stretches } = await flooded('tick', streams)
        expectTold(stretches, COUNT + 1)
        expect(numbersIn(stretches).slice(-40)).to.deep.equal(upTo(COUNT + 1).slice(-40))
      })

      it(`G5: gives ${reader} the oldest events with dropNewest, and reports the gaps`, async () => {
        await sender.defineEvent('tick', { overflow: 'dropNewest' })
        const { stretches } = await flooded('tick', streams)
        expectTold(stretches, COUNT + 1)
        expect(numbersIn(stretches).slice(0, 40)).to.deep.equal(upTo(40))
      })

      it(`G5: gives ${reader} the last event of each key with latest, and reports the gaps`, async () => {
        await sender.defineEvent('tick', { overflow: 'latestByKey' })
        const { stretches } = await flooded('tick', streams)
        expectTold(stretches, COUNT + 1)
        expect(numbersIn(stretches)).to.include.members(upTo(COUNT).slice(-KEYS))
      })

      it(`G5: gives ${reader} the last event of a type with latest, and reports the gaps`, async () => {
        await sender.defineEvent('tick', { overflow: 'latest' })
        const { stretches } = await flooded('tick', streams)
        expectTold(stretches, COUNT + 1)
        expect(numbersIn(stretches)).to.include(COUNT - 1)
      })

      it(`G5: gives ${reader} the newest events with wait and no await, and reports the gaps`, async () => {
        await sender.defineEvent('tick', {})
        const { stretches } = await flooded('tick', streams)
        expectTold(stretches, COUNT + 1)
        expect(numbersIn(stretches).slice(-40)).to.deep.equal(upTo(COUNT + 1).slice(-40))
      })
    }

    it('G5: ends the link with disconnect, on both sides, and reconnects', async () => {
      await sender.defineEvent('tick', { overflow: 'disconnect' })
      await slow.read('tick', { takes: 1 })
      await sender.flood('tick', { count: 100, filler: KIB })
      await sender.untilNotice('lost', 'slow')
      await slow.untilNotice('lost', 'sender')
      await sender.waitUntilConnectedTo('slow')
      await sender.broadcast('tick', 1, 1000)
      await slow.untilRead('tick', 1000)

      const causes = [...(await sender.notices()), ...(await slow.notices())].filter(({ kind }) => kind === 'lost')
      expect(causes.map(({ cause }) => cause)).to.deep.equal(['LAHJA_OUTBOX_OVERFLOW', 'LAHJA_LINK_REFUSED'])
    })
  })

  it('G7, G11: does not deadlock handlers that send each other requests while both windows are full', async () => {
    const COUNT = 300
    const [one, other] = [await bus.start('one', { limits: TIGHT }), await bus.start('other', { limits: TIGHT })]
    const ends = [one, other]
    for (const end of ends) await end.respond('look-up', { manner: 'in-turns' })
    for (const end of ends) await end.read(`of-${end === one ? 'other' : 'one'}`, { asks: 'look-up', takes: 1 })

    await Promise.all(
      ends.map(({ name }, index) => ends[index]?.flood(`of-${name}`, { count: COUNT, filler: KIB, waits: true })),
    )
    await Promise.all([one.untilRead('of-other', COUNT - 1), other.untilRead('of-one', COUNT - 1)])

    expect((await one.tally('of-other')).stretches).to.deep.equal([{ first: 0, count: COUNT }])
    expect((await other.tally('of-one')).stretches).to.deep.equal([{ first: 0, count: COUNT }])
    for (const end of ends) expect((await end.work('look-up')).ended).to.have.length(COUNT)
  })

  it('G12: lets close deliver to peers that read, and report what others have not taken by the deadline', async () => {
    const COUNT = 4000
    const sender = await bus.start('sender')
    const [fast, stopped] = [await bus.start('fast'), await bus.start('stopped')]
    for (const consumer of [fast, stopped]) await consumer.read('tick')

    stopped.process.stop()
    await sender.flood('tick', { count: COUNT, filler: KIB })
    const undelivered = await sender.closeWithin(5000)
    await fast.untilNotice('left', 'sender')
    expect((await fast.tally('tick')).stretches).to.deep.equal([{ first: 0, count: COUNT }])

    stopped.process.continue()
    await stopped.untilNotice('lost', 'sender')
    const taken = numbersIn((await stopped.tally('tick')).stretches)
    expect(taken).to.deep.equal(upTo(taken.length))
    expect(undelivered.map(({ name }) => name)).to.deep.equal(['stopped'])
    expect(undelivered[0]?.events).to.be.within(COUNT - taken.length, COUNT)
  })
})

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Events and gaps add up to everything, in order. */
function expectComplete(stretches: readonly Stretch[], count: number): void {
  let next = 0

  for (const { first = next, count } of stretches) {
    expect(first, `after ${next - 1}`).to.equal(next)
    next += count
  }
  expect(next).to.equal(count)
}

/** Some events are missing, the others are in order, and the gaps count the missing ones. */
function expectTold(stretches: readonly Stretch[], count: number): void {
  const numbers = numbersIn(stretches)
  expect(numbers).to.deep.equal([...new Set(numbers)].sort((one, other) => one - other))
  expect(numbers.length).to.be.below(count)
  expect(numbers.length + missingIn(stretches)).to.equal(count)
}

function noticesAbout(name: string, notices: readonly { readonly kind: string; readonly peer: string }[]): string[] {
  return notices.filter(({ kind, peer }) => peer === name && kind !== 'unresponsive').map(({ kind }) => kind)
}
