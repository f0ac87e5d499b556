import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Broker } from '../contenders/broker'
import type { Mode } from '../contenders/mode'
import { contenderOf } from '../contenders/registry'
import { type Job, memberName, SENDER } from '../workers/job'
import { Latencies } from '../workers/latencies'
import type { Milestone, ProcessReport } from '../workers/message'
import { BenchProcess } from '../workers/worker-process'

/** What is measured: a job without what differs from process to process. */
export type Work = Omit<Job, 'name' | 'number' | 'directory'>

export interface NamedReport extends ProcessReport {
  readonly name: string
  readonly number: number
}

export interface Round {
  /** Those whose events, or responses, are counted. */
  readonly receivers: readonly NamedReport[]
  /** Those who only did their part in it. */
  readonly others: readonly NamedReport[]
}

/** Milliseconds that a receiver has, after the last event was sent, before what has not come counts as lost. */
const GRACE = 10_000

/**
 * Measures once, with processes and a directory of its own. The clock starts with the first event, when everyone is
 * ready.
 *
 * @throws Error if a process ends before its time, or the signal's reason
 */
export function runRound(work: Work, onProgress: (done: number) => void, signal: AbortSignal): Promise<Round> {
  const measure = contenderOf(work.contender).isParent ? family : MEASURES[work.mode]
  return runProcesses(work, measure, onProgress, signal)
}

/** Runs what measures, with a directory of its own, and lets none of the processes that it starts outlive it. */
export async function runProcesses(
  work: Work,
  measure: Measure,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Round> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const processes: BenchProcess[] = []
  let fail: (reason: unknown) => void = () => {}
  const failure = new Promise<never>((_, reject) => {
    fail = reject
  })
  const onAbort = () => fail(signal.reason)
  signal.addEventListener('abort', onAbort)
  let broker: Broker | undefined
  const start = (script: string, name: string) => {
    signal.throwIfAborted()
    const started = new BenchProcess(script, { ...work, name, number: processes.length, directory })
    processes.push(started)
    started.ended.catch(fail)
    return started
  }
  try {
    broker = contenderOf(work.contender).serve?.(directory)
    broker?.ended.catch(fail)
    await Promise.race([failure, broker?.ready()])
    const round = await Promise.race([failure, measure(work, start, onProgress)])
    return broker ? withBroker(round, broker) : round
  } finally {
    signal.removeEventListener('abort', onAbort)
    await Promise.all(processes.map((running) => running.kill()))
    await broker?.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

type Start = (script: string, name: string) => BenchProcess

export type Measure = (work: Work, start: Start, onProgress: (done: number) => void) => Promise<Round>

const broadcast: Measure = async ({ processes }, start, onProgress) => {
  const sender = start('sender.js', SENDER)
  sender.onProgress(onProgress)
  await sender.until('ready')
  const consumers = Array.from({ length: processes }, (_, index) => start('consumer.js', `consumer-${index + 1}`))
  await reach('ready', consumers)
  onProgress(0)
  for (const running of [...consumers, sender]) running.tell('go')
  await sender.until('finished')
  await untilFinished(consumers)
  const reports = await collect([sender, ...consumers])
  return { receivers: reports.slice(1), others: reports.slice(0, 1) }
}

const request: Measure = async ({ processes, events }, start, onProgress) => {
  const asker = start('requester.js', SENDER)
  asker.onProgress(onProgress)
  await asker.until('ready')
  const responders = Array.from({ length: processes }, (_, index) => start('responder.js', `responder-${index + 1}`))
  await reach('ready', responders)
  onProgress(0)
  asker.tell('go')
  await asker.until('finished')
  const [asked, ...others] = await collect([asker, ...responders])
  if (!asked) throw new Error('expected a report, got none')
  // What has been handled more often than it was asked, the asker cannot know.
  const handled = others.reduce((total, { arrived }) => total + arrived, 0)
  return { receivers: [{ ...asked, duplicates: handled - events }], others }
}

const mesh: Measure = async ({ processes }, start, onProgress) => {
  const members = Array.from({ length: processes }, (_, index) => start('member.js', memberName(index)))
  members[0]?.onProgress(onProgress)
  await reach('joined', members)
  for (const member of members) member.tell('listen')
  await reach('ready', members)
  onProgress(0)
  for (const member of members) member.tell('go')
  await untilFinished(members)
  return { receivers: await collect(members), others: [] }
}

/** The sender starts the consumers, and tells what they have told. */
const family: Measure = async (_, start, onProgress) => {
  const parent = start('parent.js', SENDER)
  parent.onProgress(onProgress)
  await parent.until('ready')
  onProgress(0)
  parent.tell('go')
  await parent.until('finished')
  const others = await collect([parent])
  return { receivers: parent.childReports().map((report, index) => ({ number: index + 1, ...report })), others }
}

const MEASURES: Readonly<Record<Mode, Measure>> = { broadcast, latency: broadcast, request, mesh }

export async function reach(milestone: Milestone, processes: readonly BenchProcess[]): Promise<void> {
  await Promise.all(processes.map((running) => running.until(milestone)))
}

/** Until they have, or have had the time to. */
async function untilFinished(receivers: readonly BenchProcess[]): Promise<void> {
  const timer = new AbortController()
  const grace = setTimeout(GRACE, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([grace, reach('finished', receivers)])
  timer.abort()
}

/** A server's part counts too. All of it: it has nothing else to do. */
function withBroker(round: Round, broker: Broker): Round {
  const nothing = { startedAt: 0, endedAt: 0, arrived: 0, lost: 0, outOfOrder: 0, duplicates: 0 }
  const report = { ...nothing, ...broker.usage(), latencies: Latencies.none().encode() }
  const number = round.receivers.length + round.others.length
  return { ...round, others: [...round.others, { name: broker.name, number, ...report }] }
}

export async function collect(processes: readonly BenchProcess[]): Promise<NamedReport[]> {
  for (const running of processes) running.tell('stop')
  const reports = await Promise.all(processes.map((running) => running.report()))
  await Promise.all(processes.map(({ ended }) => ended))
  return reports.map((report, index) => ({ name: processes[index]?.name ?? '', number: index, ...report }))
}
