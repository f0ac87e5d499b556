import { expect } from 'chai'
import { check } from './checker'
import { loadCore } from './core'
import { History } from './history'
import { Random } from './random'
import type { HistoryRecord } from './record'
import { Simulation } from './simulation'

const ENDPOINTS = 80

/** A bus of endpoints that start at about the same time. */
async function assemble(count: number, hintLoss: number, limits: object = {}) {
  const random = new Random(count)
  const simulation = new Simulation(loadCore(), random.fork(), new History())
  const { timeline, network } = simulation
  network.faults.conditions = { ...network.faults.conditions, hintLoss }
  for (let index = 0; index < count; index++) {
    const options = { name: `e${index}`, directory: '/simulated', limits }
    timeline.after(random.float() * 500, () => simulation.start(options, () => 'at-once'))
  }
  await timeline.runUntil(4000)
  for (const { member } of simulation.started) member.look()
  return simulation
}

const countOf = ({ records }: History, kind: HistoryRecord['kind']) => records.filter((one) => one.kind === kind).length

describe('a simulated full mesh', function () {
  this.timeout(300_000)

  it(`links ${ENDPOINTS} endpoints with each other, and delivers an event to all`, async () => {
    const simulation = await assemble(ENDPOINTS, 0)
    const { timeline, history, started } = simulation
    expect(started).to.have.lengthOf(ENDPOINTS)
    expect(countOf(history, 'joined')).to.equal(ENDPOINTS * (ENDPOINTS - 1))
    for (const { member } of started) member.subscribe('tick', {})
    await timeline.runUntil(timeline.now + 1000)
    expect(countOf(history, 'ready')).to.equal(ENDPOINTS)
    const dispatch = { filler: Buffer.alloc(10), wrapping: 'object' } as const
    await Promise.all([started[0]?.member.broadcast('tick', dispatch), timeline.runUntil(timeline.now + 1000)])
    expect(countOf(history, 'received')).to.equal(ENDPOINTS)
    simulation.log('', { kind: 'quiet' })
    for (const process of started) void simulation.close(process, 5000)
    await timeline.runUntil(timeline.now + 10_000)
    expect(check(history.records)).to.deep.equal([])
    expect(countOf(history, 'closed')).to.equal(ENDPOINTS)
  })

  it('is complete within two rescans without any watch hint (G9)', async () => {
    const { history, started } = await assemble(30, 1, { rescanInterval: 1000 })
    expect(started).to.have.lengthOf(30)
    expect(check(history.records)).to.deep.equal([])
  })
})
