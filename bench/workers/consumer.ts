import { contenderOf } from '../contenders/registry'
import { SENDER } from './job'
import { Inbox } from './receiver'
import { Orchestrator } from './worker'

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const station = await contenderOf(job.contender).join(job)
  const inbox = new Inbox(job, [0])
  await station.listen([SENDER], inbox.receive)
  await orchestrator.tell({ kind: 'ready' })
  void inbox.ended.then(() => orchestrator.tell({ kind: 'finished' }))
  await orchestrator.until('stop')
  await orchestrator.tell({ kind: 'report', report: inbox.report() })
  await station.close()
  orchestrator.leave()
}

void main()
