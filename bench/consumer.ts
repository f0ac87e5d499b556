import { Endpoint, type Peer } from 'lahja'
import { SENDER } from './message'
import { Orchestrator } from './orchestrator'
import { Sample } from './sample'
import { Tally } from './tally'

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { name, directory, events, payloadBytes } = orchestrator.job
  const endpoint = await Endpoint.start({ name, directory })
  endpoint.on('error', (error) => {
    console.error(error)
    process.exit(1)
  })
  await endpoint.waitUntilConnectedTo(SENDER)
  const senderGone = new Promise<void>((resolve) => {
    const check = (peer: Peer) => peer.name === SENDER && resolve()
    endpoint.on('left', check).on('lost', check)
  })

  const tally = new Tally(events, payloadBytes)
  await endpoint.subscribe(Sample, ({ payload }) => tally.add(payload)).ready
  await orchestrator.tell({ kind: 'ready' })

  await senderGone
  await orchestrator.tell({ kind: 'finished', report: tally.report() })
  await endpoint.close()
  orchestrator.leave()
}

void main()
