import { contenderOf } from '../contenders/registry'
import { type Figures, figuresOfAll } from './figures'
import { isComplete } from './result'
import { runRound, type Work } from './round'

/** Something to measure, again and again, in turns with others. */
export interface Trial {
  /** Of all trials. */
  readonly id: string
  /** The commands that install what it needs and is not there. */
  readonly missing: readonly string[]
  /** Measures once. */
  measure(signal: AbortSignal): Promise<Sample>
}

/** What was measured, by name. */
export type Sample = Readonly<Record<string, number>>

/** Lets a contender do a piece of work. */
export function workTrial(id: string, work: Work): Trial {
  return {
    id,
    missing: contenderOf(work.contender).missing?.() ?? [],
    async measure(signal) {
      const figures = figuresOfAll(await runRound(work, () => {}, signal))
      if (!isComplete(figures)) throw new Error(faultsOf(figures))
      return sampleOf(figures, work)
    },
  }
}

function sampleOf(figures: Figures, { payloadBytes }: Work): Sample {
  const { eventsPerSecond, p50Microseconds, p99Microseconds, cpuSecondsPerMillion } = figures
  const bytesPerSecond = eventsPerSecond * payloadBytes
  return { eventsPerSecond, p50Microseconds, p99Microseconds, cpuSecondsPerMillion, bytesPerSecond }
}

function faultsOf({ lost, outOfOrder, duplicates }: Figures): string {
  return `expected every event once and in order, got ${lost} lost, ${outOfOrder} out of order, ${duplicates} duplicates`
}
