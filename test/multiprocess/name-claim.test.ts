import { expect } from 'chai'
import { useBus } from './bus'
import { RemoteFailure } from './remote-process'

const CLAIMANTS = 16
const ROUNDS = 10

describe('a name claimed by several processes', () => {
  const bus = useBus()

  it(`G10: goes to exactly one of 16 processes that start at once, in ${ROUNDS} rounds`, async () => {
    const processes = await bus.processes.participants(CLAIMANTS)
    for (let round = 0; round < ROUNDS; round++) {
      const outcomes = await Promise.allSettled(processes.map((process) => bus.startIn(process, 'only')))
      const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [codeOf(outcome.reason)] : []))

      expect(winners, `round ${round}`).to.have.lengthOf(1)
      expect(codes, `round ${round}`).to.deep.equal(Array(CLAIMANTS - 1).fill('LAHJA_NAME_IN_USE'))
      expect(await bus.published(), `round ${round}`).to.deep.equal(['only'])
      for (const winner of winners) await winner.close()
      expect(await bus.published(), `round ${round}`).to.deep.equal([])
    }
  })

  it('G10: is free as soon as its holder has been killed', async () => {
    const holder = await bus.start('only')
    const successor = await bus.processes.participant()
    expect(await refusal(bus.startIn(successor, 'only'))).to.equal('LAHJA_NAME_IN_USE')

    holder.process.kill()
    await holder.process.exit
    await bus.startIn(successor, 'only')

    expect(await bus.published()).to.deep.equal(['only'])
  })

  it('G10: stays with a stopped holder', async () => {
    const holder = await bus.start('only')
    const rival = await bus.processes.participant()

    holder.process.stop()
    const code = await refusal(bus.startIn(rival, 'only', { limits: { handshakeTimeout: 200 } }))
    holder.process.continue()

    expect(code).to.equal('LAHJA_NAME_IN_USE')
    const other = await bus.startIn(rival, 'other')
    await other.waitUntilConnectedTo('only')
  })
})

async function refusal(starting: Promise<unknown>): Promise<string> {
  return starting.then(
    () => 'none',
    (reason) => codeOf(reason),
  )
}

function codeOf(reason: unknown): string {
  return reason instanceof RemoteFailure ? reason.code : String(reason)
}
