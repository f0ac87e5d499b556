import { contenderOf } from '../contenders/registry'
import type { Plan } from '../programs/bench-options'
import { type Figures, figuresByProcess, figuresOfAll, overRounds } from './figures'
import type { Round, Work } from './round'

/** What `--json` prints. */
export interface Result extends Work {
  readonly node: string
  /** Of the contender. */
  readonly settings: string
  readonly rounds: number
  /** Did every event arrive everywhere, once and in order? */
  readonly ok: boolean
  readonly processFigures: readonly ({ readonly name: string } & Figures)[]
  readonly total: Figures
  readonly totalOfEachRound: readonly Figures[]
}

export function resultOf({ work }: Pick<Plan, 'work'>, rounds: readonly Round[]): Result {
  const byProcess = rounds.map(figuresByProcess)
  const names = byProcess[0]?.map(({ name }) => name) ?? []
  const totalOfEachRound = rounds.map(figuresOfAll)
  return {
    ...work,
    node: process.version,
    settings: contenderOf(work.contender).settings,
    rounds: rounds.length,
    ok: totalOfEachRound.every(isComplete),
    processFigures: names.map((name, index) => ({
      name,
      ...overRounds(byProcess.flatMap((figures) => figures.slice(index, index + 1))),
    })),
    total: overRounds(totalOfEachRound),
    totalOfEachRound,
  }
}

/** Did every event arrive everywhere, once and in order? */
export function isComplete({ received, lost, outOfOrder, duplicates }: Figures): boolean {
  return received > 0 && lost === 0 && outOfOrder === 0 && duplicates === 0
}
