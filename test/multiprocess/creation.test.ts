import { join } from 'node:path'
import { expect } from 'chai'
import { useBus } from './bus'

const PROCESSES = 6
const ROUNDS = 25

describe('a bus directory that does not exist', () => {
  const bus = useBus()

  it('is created, with its parents, by many processes at once', async () => {
    const processes = await Promise.all(Array.from({ length: PROCESSES }, () => bus.processes.participant()))
    for (let round = 0; round < ROUNDS; round++) {
      const directory = join(bus.directory, String(round), 'a', 'b')
      const starts = processes.map((process, index) => bus.startIn(process, `${round}-${index}`, { directory }))
      const endpoints = await Promise.all(starts)
      expect(endpoints).to.have.length(PROCESSES)
      await Promise.all(endpoints.map((endpoint) => endpoint.close()))
    }
  })
})
