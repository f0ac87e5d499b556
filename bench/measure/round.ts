import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Broker } from '../contenders/broker'
import { contenderOf } from '../contenders/registry'
import { memberName, SENDER, type Work } from '../workers/job'
import { emptyReport, type ProcessReport } from '../workers/message'
import { inScratchDirectory } from '../workers/scratch-directory'
import { faultsOf, Share } from '../workers/share-checker'
import { collect, connect, reach, tell, WorkerProcess } from '../workers/worker-process'

/** The reports of all processes of a round. */
export interface Round {
  /** Of the processes whose events, or responses, count. */
  readonly receivers: readonly ProcessReport[]
  readonly others: readonly ProcessReport[]
}

export interface RoundOptions {
  /** Called with 0 when all processes are ready, then with the events done so far. */
  readonly onProgress?: (done: number) => void
  /** Leads the workers from ready to finished; `drive` by default. */
  readonly driver?: (workers: readonly WorkerProcess[]) => Promise<void>
}

/** Milliseconds after the last event was sent; a later one counts as lost. */
const GRACE = 10_000

/**
 * Measures once, with its own processes and directory, which are gone afterwards.
 *
 * @throws Error if a process ends before its time, or the signal's reason
 */
export async function runRound(
  work: Work,
  signal: AbortSignal,
  { onProgress = () => {}, driver = drive }: RoundOptions = {},
): Promise<Round> {
  return inScratchDirectory(async (directory) => {
    signal.throwIfAborted()
    const broker = contenderOf(work.contender).serve?.(directory)
    const done = new AbortController()
    const aborted = once(signal, 'abort', { signal: done.signal }).then(() => Promise.reject(signal.reason))
    const workers: WorkerProcess[] = []
    const measure = async () => {
      await connect(workers)
      onProgress(0)
      await driver(workers)
      return roundOf(work, await collect(workers), broker)
    }
    try {
      await Promise.race([broker?.ready(), aborted])
      for (const [number, { script, name }] of crewOf(work).entries()) {
        workers.push(
          new WorkerProcess(script, { ...work, name, number, directory }, number === 0 ? onProgress : undefined),
        )
      }
      const failures = [aborted, ...(broker ? [broker.ended] : []), ...workers.map(({ failed }) => failed)]
      return await Promise.race([measure(), ...failures])
    } finally {
      done.abort()
      await Promise.all(workers.map((worker) => worker.kill()))
      await broker?.stop()
    }
  })
}

/** Lets all workers send, and waits until the watched ones have sent and received everything. */
export async function drive(workers: readonly WorkerProcess[], watched = workers): Promise<void> {
  tell('go', workers)
  await reach('sent', watched)
  await within(GRACE, reach('received', watched))
}

/** Resolves with the task, or when the time is over. */
export async function within(milliseconds: number, task: Promise<void>): Promise<void> {
  const timer = new AbortController()
  const timeout = setTimeout(milliseconds, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([task, timeout]).finally(() => timer.abort())
}

/** The processes of a round: the sender first, except in a mesh. */
function crewOf({ contender, mode, processes }: Work): { readonly script: string; readonly name: string }[] {
  const numbers = Array.from({ length: processes }, (_, number) => number)
  if (mode === 'mesh') return numbers.map((number) => ({ script: 'member.js', name: memberName(number) }))
  if (contenderOf(contender).isParent) return [{ script: 'parent.js', name: SENDER }]
  const [first, other] = mode === 'request' ? ['requester', 'responder'] : ['sender', 'consumer']
  const others = numbers.map((number) => ({ script: `${other}.js`, name: `${other}-${number + 1}` }))
  return [{ script: `${first}.js`, name: SENDER }, ...others]
}

function roundOf({ mode, warmUp, events }: Work, reports: readonly ProcessReport[], broker: Broker | undefined): Round {
  // All of the server's usage counts, as it has nothing else to do.
  const server = broker ? [{ ...emptyReport(broker.name, reports.length), ...broker.usage() }] : []
  if (mode === 'mesh') return { receivers: reports, others: server }
  const [first, ...rest] = reports
  if (!first) throw new Error('expected a report, got none')
  const others = [first, ...server]
  if (mode === 'queue') return { receivers: judged(rest, warmUp + events), others }
  if (mode !== 'request') return { receivers: rest, others }
  // Only the responders know of requests that arrived twice.
  const handled = rest.reduce((total, { arrived }) => total + arrived, 0)
  return { receivers: [{ ...first, duplicates: handled - events }], others: [...rest, ...server] }
}

/** The reports of the members of a queue. What only all shares together show is told of the first. */
function judged([first, ...rest]: readonly ProcessReport[], events: number): readonly ProcessReport[] {
  if (!first) throw new Error('expected a report of a member, got none')
  const shares = [first, ...rest].map(({ share }) => Share.parse(events, share))
  const { lost, duplicates } = faultsOf(shares, events)
  return [{ ...first, lost, duplicates: first.duplicates + duplicates }, ...rest]
}
