import { setTimeout as passed } from 'node:timers/promises'
import { expect } from 'chai'
import { Bus } from './bus'
import type { TallyReport } from './tally'
import { until } from './until'

const COUNT = 150_000
const STALLS = 6
const PATIENCE = 200

/** Events that were received or are known to be missing. */
function countOf({ stretches }: TallyReport): number {
  return stretches.reduce((sum, { count }) => sum + count, 0)
}

describe('a sender that stands still while it waits for a fast reader', () => {
  const bus = new Bus()

  beforeEach(() => bus.open())
  afterEach(() => bus.end())

  it('loses nothing and calls nobody lagging: the credit that has arrived is read first (G5, G8)', async () => {
    const sender = await bus.start('sender', { limits: { patience: PATIENCE } })
    const reader = await bus.start('reader')
    await reader.read('tick')
    const flood = sender.flood('tick', { count: COUNT, filler: 1024, waits: true })
    for (let stall = 1; stall <= STALLS; stall++) {
      await until(async () => countOf(await reader.tally('tick')) > (stall * COUNT) / 10)
      sender.process.stop()
      await passed(2 * PATIENCE)
      sender.process.continue()
    }
    await flood
    await reader.untilRead('tick', COUNT - 1)
    expect((await reader.tally('tick')).stretches).to.deep.equal([{ first: 0, count: COUNT }])
    expect((await sender.notices()).map(({ kind }) => kind)).to.deep.equal(['joined'])
  })
})
