import { contenderOf } from '../contenders/registry'
import type { Work } from '../workers/job'
import { figuresByProcess, figuresOfAll, isComplete, overRounds } from './figures'
import type { Round } from './round'

/** The JSON object of `npm run bench`. */
export type Result = ReturnType<typeof resultOf>

export function resultOf(work: Work, rounds: readonly Round[]) {
  const byProcess = rounds.map(figuresByProcess)
  const totalOfEachRound = rounds.map(figuresOfAll)
  return {
    ...work,
    node: process.version,
    /** Of the contender. */
    settings: contenderOf(work.contender).settings,
    rounds: rounds.length,
    /** Every event arrived everywhere, once and in order. */
    ok: totalOfEachRound.every(isComplete),
    processFigures: (byProcess[0] ?? []).map(({ name }, index) => ({
      name,
      ...overRounds(byProcess.flatMap((figures) => figures.slice(index, index + 1))),
    })),
    total: overRounds(totalOfEachRound),
    totalOfEachRound,
  }
}
