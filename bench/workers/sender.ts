import { contenderOf } from '../contenders/registry'
import { now } from './clock'
import { Latencies } from './latencies'
import { sendAll } from './send-loop'
import { Orchestrator } from './worker'

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const station = await contenderOf(job.contender).join(job)
  await orchestrator.tell({ kind: 'ready' })

  await orchestrator.until('go')
  await station.untilHeardBy(job.processes)
  const { startedAt, usage } = await sendAll(job, station, orchestrator)
  const endedAt = now()
  await orchestrator.tell({ kind: 'finished' })

  await orchestrator.until('stop')
  const nothing = { arrived: 0, lost: 0, outOfOrder: 0, duplicates: 0, latencies: Latencies.none().encode() }
  await orchestrator.tell({ kind: 'report', report: { ...nothing, startedAt, endedAt, ...usage() } })
  await station.close()
  orchestrator.leave()
}

void main()
