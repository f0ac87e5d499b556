import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BenchProcess } from './bench-process'
import { type Message, SENDER } from './message'
import type { Plan } from './plan'
import type { TallyReport } from './tally'

/** What each consumer has seen, in the order of their numbers. */
export type Round = readonly TallyReport[]

/**
 * Measures once, with processes and a bus of its own. The clock starts with the first event, when everyone is ready.
 *
 * @throws Error if a process ends before its time, or the signal's reason
 */
export async function runRound(plan: Plan, onProgress: (sent: number) => void, signal: AbortSignal): Promise<Round> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const processes: BenchProcess[] = []
  const start = (script: string, name: string) => {
    signal.throwIfAborted()
    const { processes: consumers, events, payloadBytes } = plan
    const started = new BenchProcess(script, { directory, name, consumers, events, payloadBytes })
    processes.push(started)
    return started
  }
  try {
    return await Promise.race([aborted(signal), measure(plan, start, onProgress)])
  } finally {
    await Promise.all(processes.map((running) => running.kill()))
    await rm(directory, { recursive: true, force: true })
  }
}

async function measure(
  { processes }: Plan,
  start: (script: string, name: string) => BenchProcess,
  onProgress: (sent: number) => void,
): Promise<Round> {
  const sender = start('sender.ts', SENDER)
  sender.onProgress(onProgress)
  await sender.until(readiness)
  const consumers = Array.from({ length: processes }, (_, index) => start('consumer.ts', `consumer-${index + 1}`))
  await Promise.all(consumers.map((consumer) => consumer.until(readiness)))
  onProgress(0)
  sender.go()
  const reports = consumers.map((consumer) =>
    consumer.until((message) => (message.kind === 'finished' ? message.report : undefined)),
  )
  const [round] = await Promise.all([Promise.all(reports), ...[sender, ...consumers].map((running) => running.ended)])
  return round
}

function readiness({ kind }: Message): true | undefined {
  return kind === 'ready' || undefined
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  })
}
