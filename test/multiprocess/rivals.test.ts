import { expect } from 'chai'
import { Bus } from './bus'
import { contest, release } from './rivals-procedures'

const ROUNDS = 30

describe('a main thread, three worker threads and three cluster workers that start one name', () => {
  const bus = new Bus()

  beforeEach(() => bus.open())
  afterEach(() => bus.end())

  it('G10: exactly one of them gets it, in 30 rounds', async () => {
    const primary = await bus.processes.run('rivals-primary.ts', bus.directory)
    for (let round = 0; round < ROUNDS; round++) {
      const outcomes = await primary.call(contest, undefined)
      expect(outcomes.sort(), `round ${round}`).to.deep.equal([...Array(6).fill('LAHJA_NAME_IN_USE'), 'won'])
      expect(await bus.published(), `round ${round}`).to.deep.equal(['only'])
      await primary.call(release, undefined)
      expect(await bus.published(), `round ${round}`).to.deep.equal([])
    }
  })
})
