import { expect } from 'chai'
import { useBus } from './bus'
import { consumption, turnOver } from './fault-procedures'
import { until } from './until'

const CYCLES = 2000

/** Number of visitors at a time. */
const WIDTH = 2

/** Cycles until code is compiled and the heap has its usual size. */
const WARM_UP = 500

/** Bytes that a process may refer to beyond what it did before: leaks of 1 KiB would be more, our notes are less. */
const SLACK = 1.75 * 1024 * 1024

/**
 * Bytes that it may have of the system beyond what it had before. The heap grows well before it has to, by 90 MiB on
 * Node 24, where it stays; a buffer of 64 KiB for each visit would be 125 MiB.
 */
const RESIDENT_SLACK = 110 * 1024 * 1024

describe('an endpoint after 2,000 peers have come and gone', () => {
  const bus = useBus()

  it('G12: uses no more descriptors, resources and memory than before, and neither does their process', async () => {
    const host = await bus.start('host')
    const visitors = await bus.processes.participant()
    const both = [host.process, visitors]
    const turn = (cycles: number) => visitors.call(turnOver, { directory: bus.directory, cycles, width: WIDTH })
    await turn(WARM_UP)
    await host.untilPeers(0)
    const before = await Promise.all(both.map((process) => process.call(consumption, undefined)))

    await turn(CYCLES)
    await host.untilPeers(0)

    for (const [index, process] of both.entries()) {
      const { descriptors = 0, resources = [], held = 0, resident = 0 } = before[index] ?? {}
      // A socket's close is reported a turn later.
      await until(async () => (await process.call(consumption, undefined)).descriptors <= descriptors)
      const after = await process.call(consumption, undefined)
      expect(after.resources.length, after.resources.join()).to.be.at.most(resources.length)
      expect(after.held - held, 'bytes that are referred to').to.be.below(SLACK)
      expect(after.resident - resident, 'bytes of the system').to.be.below(RESIDENT_SLACK)
    }
    const notices = await host.notices()
    expect(notices.filter(({ kind }) => kind === 'left')).to.have.length(WARM_UP + CYCLES)
    expect(notices.filter(({ kind }) => kind !== 'left' && kind !== 'joined')).to.deep.equal([])
    expect(await bus.published()).to.deep.equal(['host'])
  })
})
