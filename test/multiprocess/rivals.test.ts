import { expect } from 'chai'
import { useBus } from './bus'
import { contest, release } from './rivals-procedures'

const ROUNDS = 20

describe('a name claimed by a main thread, three worker threads and three cluster workers', () => {
  const bus = useBus()

  it(`G10: goes to exactly one of them, in ${ROUNDS} rounds`, async () => {
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
