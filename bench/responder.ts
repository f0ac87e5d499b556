import { contenderOf } from './contenders/roster'
import { SENDER } from './job'
import { Latencies } from './latency'
import { Orchestrator } from './orchestrator'
import { startUsage } from './usage'

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const station = await contenderOf(job.contender).join(job)
  let arrived = 0
  await station.respond(SENDER, (payload) => {
    arrived++
    return payload
  })
  const usage = startUsage()
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
