import { now } from './clock'
import { Latencies } from './latencies'
import { sendAll } from './send-loop'
import { Orchestrator } from './worker'
import { BenchProcess } from './worker-process'

/** Messages after which the sender waits until the last has been written. */
const WINDOW = 256

/** Sends to its children, over the channel that each has with it. */
class Family {
  readonly #children: readonly BenchProcess[]
  #sent = 0

  constructor(children: readonly BenchProcess[]) {
    this.#children = children
  }

  send(payload: unknown): Promise<unknown> | undefined {
    if (++this.#sent % WINDOW === 0) return Promise.all(this.#children.map((child) => child.sent(payload)))
    for (const child of this.#children) child.send(payload)
    return undefined
  }

  async flush(): Promise<void> {}
}

/** The sender where consumers have to be its children. */
async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const children = Array.from({ length: job.processes }, (_, index) => {
    const child = new BenchProcess('consumer.js', { ...job, name: `consumer-${index + 1}`, number: index + 1 })
    child.ended.catch(() => process.exit(1))
    return child
  })
  await Promise.all(children.map((child) => child.until('ready')))
  await orchestrator.tell({ kind: 'ready' })

  await orchestrator.until('go')
  for (const child of children) child.tell('go')
  const { startedAt, usage } = await sendAll(job, new Family(children), orchestrator)
  const endedAt = now()
  await Promise.all(children.map((child) => child.until('finished')))
  await orchestrator.tell({ kind: 'finished' })

  await orchestrator.until('stop')
  const spent = usage()
  for (const child of children) child.tell('stop')
  for (const child of children) {
    await orchestrator.tell({ kind: 'childReport', name: child.name, report: await child.report() })
    await child.ended
  }
  const nothing = { arrived: 0, lost: 0, outOfOrder: 0, duplicates: 0, latencies: Latencies.none().encode() }
  await orchestrator.tell({ kind: 'report', report: { ...nothing, startedAt, endedAt, ...spent } })
  orchestrator.leave()
}

void main()
