import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { BenchProcess } from './bench-process'
import { type Job, SENDER } from './job'
import type { ProcessReport } from './message'

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
export async function runRound(work: Work, onProgress: (done: number) => void, signal: AbortSignal): Promise<Round> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const processes: BenchProcess[] = []
  const start = (script: string, name: string) => {
    signal.throwIfAborted()
    const started = new BenchProcess(script, { ...work, name, number: processes.length, directory })
    processes.push(started)
    return started
  }
  try {
    return await Promise.race([aborted(signal), measure(work, start, onProgress)])
  } finally {
    await Promise.all(processes.map((running) => running.kill()))
    await rm(directory, { recursive: true, force: true })
  }
}

type Start = (script: string, name: string) => BenchProcess

async function measure({ processes }: Work, start: Start, onProgress: (done: number) => void): Promise<Round> {
  const sender = start('sender.js', SENDER)
  sender.onProgress(onProgress)
  await sender.until('ready')
  const consumers = Array.from({ length: processes }, (_, index) => start('consumer.js', `consumer-${index + 1}`))
  await Promise.all(consumers.map((consumer) => consumer.until('ready')))
  onProgress(0)
  sender.tell('go')
  await sender.until('finished')
  await untilFinished(consumers)
  const reports = await collect([sender, ...consumers])
  return { receivers: reports.slice(1), others: reports.slice(0, 1) }
}

/** Until they have, or have had the time to. */
async function untilFinished(receivers: readonly BenchProcess[]): Promise<void> {
  const timer = new AbortController()
  const grace = setTimeout(GRACE, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([grace, Promise.all(receivers.map((receiver) => receiver.until('finished')))])
  timer.abort()
}

async function collect(processes: readonly BenchProcess[]): Promise<NamedReport[]> {
  for (const running of processes) running.tell('stop')
  const reports = await Promise.all(processes.map((running) => running.report()))
  await Promise.all(processes.map(({ ended }) => ended))
  return reports.map((report, index) => ({ name: processes[index]?.name ?? '', number: index, ...report }))
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  })
}
