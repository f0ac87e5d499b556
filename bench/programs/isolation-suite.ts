import { figuresOfAll, isComplete } from '../measure/figures'
import { drive, runRound, within } from '../measure/round'
import { joined, partOf, type Suite } from '../measure/suite'
import type { Sample, Trial } from '../measure/trial'
import { politeLatency } from '../probes/flood'
import { type Work, workOf } from '../workers/job'
import type { WorkerProcess } from '../workers/worker-process'

/** Compares a consumer beside a stopped one with the same consumer alone, and a sender beside one that floods its receiver. */
export function isolationSuite(isQuick: boolean): Suite {
  const part = (whole: number) => partOf(whole, isQuick)
  const stoppedFor = part(10_000)
  return joined([
    isolation('throttled', 'at 2,000 events/s', stoppedFor, { events: part(24_000), throttle: 2000, timedEvery: 1 }),
    isolation('full', 'at full speed', stoppedFor, { events: part(200_000) }),
    fairness(part(10_000)),
  ])
}

function isolation(
  group: string,
  speed: string,
  stoppedFor: number,
  quantities: Pick<Work, 'events'> & Partial<Work>,
): Suite {
  const defaults = { contender: 'lahja', mode: 'broadcast', payloadBytes: 1024, isPatient: false } as const
  const trial = (name: string, processes: number): Trial => ({
    id: `${group}/${name}`,
    missing: [],
    measure: (signal) => measureBeside(workOf({ ...defaults, ...quantities, processes }), stoppedFor, signal),
  })
  return {
    trials: [trial('alone', 1), trial('beside', 2)],
    rows: [
      {
        id: group,
        title: `p99 of a fast consumer beside a stopped one, 1 KiB ${speed}`,
        unit: 'µs',
        figure: 'p99Microseconds',
        ours: `${group}/beside`,
        theirs: `${group}/alone`,
        rival: 'alone',
        bound: { atMost: 3 },
      },
    ],
  }
}

/** A polite sender beside one that floods their receiver. */
function fairness(events: number): Suite {
  const group = 'flood'
  const trial = (name: string, isFlooded: boolean): Trial => ({
    id: `${group}/${name}`,
    missing: [],
    measure: async () => ({ p99Microseconds: await politeLatency(events, isFlooded) }),
  })
  return {
    trials: [trial('alone', false), trial('beside', true)],
    rows: [
      {
        id: group,
        title: 'p99 of a sender at 1,000 events/s beside one at full speed, same receiver',
        unit: 'µs',
        figure: 'p99Microseconds',
        ours: `${group}/beside`,
        theirs: `${group}/alone`,
        rival: 'alone',
      },
    ],
  }
}

/**
 * Measures the first consumer while all others are stopped.
 *
 * @param stoppedFor milliseconds, at most: until the first consumer has received everything
 */
async function measureBeside(work: Work, stoppedFor: number, signal: AbortSignal): Promise<Sample> {
  const driver = async (workers: readonly WorkerProcess[]) => {
    const stopped = workers.slice(2)
    for (const worker of stopped) worker.process.kill('SIGSTOP')
    const finished = drive(workers, workers.slice(0, 2))
    await within(stoppedFor, finished)
    for (const worker of stopped) worker.process.kill('SIGCONT')
    await finished
  }
  const { receivers, others } = await runRound(work, signal, { driver })
  const figures = figuresOfAll({ receivers: receivers.slice(0, 1), others: [...others, ...receivers.slice(1)] })
  if (!isComplete(figures)) throw new Error('expected every event to reach the fast consumer, once and in order')
  return figures
}
