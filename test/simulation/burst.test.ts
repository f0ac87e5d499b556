import { expect } from 'chai'
import { check } from './checker'
import { loadCore } from './core'
import { History } from './history'
import { Random } from './random'
import { Simulation } from './simulation'

/** Milliseconds that each member takes for a job. */
const MEMBERS = { quick: 1, slow: 100 } as const

const JOBS = 200

/** When all jobs would be done if each went to the member that ends first. */
const IDEAL = JOBS / Object.values(MEMBERS).reduce((sum, time) => sum + 1 / time, 0)

/** Milliseconds from a burst of jobs until the last is done. */
async function burst(prefetch?: number): Promise<number> {
  const history = new History()
  const simulation = new Simulation(loadCore(), new Random(7).fork(), history)
  const { timeline } = simulation
  simulation.start({ name: 'sender', directory: '/simulated' }, () => 'at-once')
  for (const [name, time] of Object.entries(MEMBERS)) simulation.start({ name, directory: '/simulated' }, () => time)
  await timeline.runUntil(1000)
  const [sender, ...members] = simulation.started
  for (const { member } of members) member.subscribe('job', { queue: 'q', prefetch })
  await timeline.runUntil(2000)
  for (let job = 0; job < JOBS; job++)
    void sender?.member.broadcast('job', { filler: Buffer.alloc(10), wrapping: 'object' }, true)
  await timeline.runUntil(40_000)
  simulation.log('', { kind: 'quiet' })
  const handled = history.records.filter(({ kind }) => kind === 'handled')
  expect(handled).to.have.lengthOf(JOBS)
  for (const process of simulation.started) void simulation.close(process, 5000)
  await timeline.runUntil(50_000)
  expect(check(history.records)).to.deep.equal([])
  return (handled.at(-1)?.at ?? 0) - 2000
}

describe('a burst of jobs for a quick and a slow member of a queue', () => {
  it('is done nearly as soon as it can be, where each takes as many ahead as it handles in some milliseconds', async () => {
    expect(await burst()).to.be.within(IDEAL, 1.3 * IDEAL)
  })

  it('takes as long as half of it takes the slow one, where jobs are dealt out at once', async () => {
    expect(await burst(Number.POSITIVE_INFINITY)).to.be.at.least((JOBS / 2) * MEMBERS.slow)
  })
})
