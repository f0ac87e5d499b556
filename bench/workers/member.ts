import { contenderOf } from '../contenders/registry'
import { memberName } from './job'
import { Inbox } from './receiver'
import { sendAll } from './send-loop'
import { Orchestrator } from './worker'

/** One of a mesh: sends to all others, and hears all others. */
async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const station = await contenderOf(job.contender).join(job)
  await orchestrator.tell({ kind: 'joined' })

  await orchestrator.until('listen')
  const others = Array.from({ length: job.processes }, (_, number) => number).filter((number) => number !== job.number)
  const inbox = new Inbox(job, others)
  await station.listen(others.map(memberName), inbox.receive)
  await station.untilHeardBy(others.length)
  await orchestrator.tell({ kind: 'ready' })

  await orchestrator.until('go')
  const { startedAt, usage } = await sendAll(job, station, orchestrator)
  void inbox.ended.then(() => orchestrator.tell({ kind: 'finished' }))

  await orchestrator.until('stop')
  await orchestrator.tell({ kind: 'report', report: { ...inbox.report(), startedAt, ...usage() } })
  await station.close()
  orchestrator.leave()
}

void main()
