import { contenderOf } from '../contenders/registry'
import type { Work } from '../workers/job'
import { figuresOfAll, isComplete } from './figures'
import { runRound } from './round'

/** A measurement that is repeated, taking turns with others. */
export interface Trial {
  /** `group/contender` */
  readonly id: string
  /** The commands that install missing packages and servers. */
  readonly missing: readonly string[]
  /** Measures once. */
  measure(signal: AbortSignal): Promise<Sample>
}

/** Figures by name. */
export type Sample = Readonly<Record<string, number>>

export interface Failure {
  /** The id of the trial. */
  readonly trial: string
  readonly message: string
}

/** Results by id of the trial. */
export interface Measured {
  /** In the order of the rounds; only of installed contenders. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>
  readonly failures: ReadonlyMap<string, Failure>
}

export function workTrial(group: string, work: Work): Trial {
  return {
    id: `${group}/${work.contender}`,
    missing: contenderOf(work.contender).missing?.() ?? [],
    async measure(signal) {
      const figures = figuresOfAll(await runRound(work, signal))
      const { lost, outOfOrder, duplicates, ...sample } = figures
      if (!isComplete(figures)) {
        const counts = `${lost} lost, ${outOfOrder} out of order, ${duplicates} duplicates`
        throw new Error(`expected every event once and in order, got ${counts}`)
      }
      return { ...sample, bytesPerSecond: figures.eventsPerSecond * work.payloadBytes }
    },
  }
}

/**
 * Runs all trials round by round, so that a disturbance of the machine meets all of them. A failed trial is left out of
 * the remaining rounds; its samples are kept.
 *
 * @param onFailure called at once, as the remaining rounds may take long
 */
export async function measureInTurns(
  trials: readonly Trial[],
  rounds: number,
  onProgress: (text: string) => void,
  onFailure: (failure: Failure) => void,
  signal: AbortSignal,
): Promise<Measured> {
  const installed = trials.filter(({ missing }) => missing.length === 0)
  const samples = new Map<string, Sample[]>(installed.map(({ id }) => [id, []]))
  const failures = new Map<string, Failure>()
  for (let round = 1; round <= rounds; round++) {
    for (const [index, trial] of installed.entries()) {
      signal.throwIfAborted()
      if (failures.has(trial.id)) continue
      onProgress(`round ${round} of ${rounds}, ${index + 1} of ${installed.length}: ${trial.id}`)
      try {
        samples.get(trial.id)?.push(await trial.measure(signal))
      } catch (error) {
        signal.throwIfAborted()
        const failure = { trial: trial.id, message: error instanceof Error ? error.message : String(error) }
        failures.set(trial.id, failure)
        onFailure(failure)
      }
    }
  }
  return { samples, failures }
}
