import { setTimeout } from 'node:timers/promises'
import { SENDER } from '../workers/job'
import { figuresOfAll } from './figures'
import { isComplete } from './result'
import { collect, type Measure, reach, runProcesses, type Work } from './round'
import type { Sample } from './trial'

/**
 * Measures how long events take to a consumer, beside another one, if there are to be two, that is stopped meanwhile.
 *
 * @param stoppedFor milliseconds; the first one's end ends it too
 * @throws Error if the first does not get every event, once and in order
 */
export async function isolationRound(work: Work, stoppedFor: number, signal: AbortSignal): Promise<Sample> {
  const round = await runProcesses(work, measureBeside(stoppedFor), () => {}, signal)
  const figures = figuresOfAll(round)
  if (!isComplete(figures)) throw new Error('expected every event to reach the fast consumer, once and in order')
  return { p99Microseconds: figures.p99Microseconds, eventsPerSecond: figures.eventsPerSecond }
}

function measureBeside(stoppedFor: number): Measure {
  return async ({ processes }, start) => {
    const sender = start('sender.js', SENDER)
    await sender.until('ready')
    const consumers = Array.from({ length: processes }, (_, index) => start('consumer.js', `consumer-${index + 1}`))
    await reach('ready', consumers)
    const [fast, ...others] = consumers
    if (!fast) throw new Error('expected a consumer')
    for (const other of others) other.signal('SIGSTOP')
    const finished = fast.until('finished')
    sender.tell('go')
    const timer = new AbortController()
    await Promise.race([finished, setTimeout(stoppedFor, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
    for (const other of others) other.signal('SIGCONT')
    await Promise.all([finished, sender.until('finished')])
    const [sent, received, ...rest] = await collect([sender, ...consumers])
    if (!sent || !received) throw new Error('expected reports, got none')
    return { receivers: [received], others: [sent, ...rest] }
  }
}
