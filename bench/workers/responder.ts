import { payloadKind } from '../contenders/payload'
import { contenderOf } from '../contenders/registry'
import { SENDER } from './job'
import { Latencies } from './latencies'
import { startUsage } from './usage'
import { Orchestrator } from './worker'

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const station = await contenderOf(job.contender).join(job)
  const kind = payloadKind(job.payload, job.payloadBytes)
  let arrived = 0
  let usage = startUsage()
  await station.respond(SENDER, (payload) => {
    if (kind.sequenceOf(payload) >= job.warmUp && arrived++ === 0) usage = startUsage()
    return payload
  })
  await orchestrator.tell({ kind: 'ready' })

  await orchestrator.until('stop')
  const nothing = {
    startedAt: 0,
    endedAt: 0,
    lost: 0,
    outOfOrder: 0,
    duplicates: 0,
    latencies: Latencies.none().encode(),
  }
  await orchestrator.tell({ kind: 'report', report: { ...nothing, arrived, ...usage() } })
  await station.close()
  orchestrator.leave()
}

void main()
