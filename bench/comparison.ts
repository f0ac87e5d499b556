import type { Agenda } from './agenda'
import { roster } from './contenders/roster'
import { machine } from './machine'
import { median } from './median'
import { DIVISORS, keeps, type Row } from './row'
import type { Sample, Trial } from './trial'

/** What became of one row. Figures are in the row's unit, one of each round. */
export interface Outcome extends Row {
  readonly our: readonly number[]
  readonly their: readonly number[]
  /** Of each round: ours divided by theirs or, where there is nobody else, ours. */
  readonly reached: readonly number[]
  /** undefined, if there is no bound or nothing was measured. */
  readonly ok: boolean | undefined
  /** The commands that install what is missing, if nothing was measured. */
  readonly missing: readonly string[]
}

/** What `--json` prints. */
export interface Comparison {
  readonly command: string
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly rounds: number
  /** Of all that took part, by name. */
  readonly settings: Readonly<Record<string, string>>
  /** Was no bound missed? */
  readonly ok: boolean
  readonly outcomes: readonly Outcome[]
}

/**
 * Measures all trials in turns, so that whatever disturbs the machine for a while disturbs all of them.
 *
 * @returns the samples of each trial, in the order of the rounds
 */
export async function measureInTurns(
  trials: readonly Trial[],
  rounds: number,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const installed = trials.filter(({ missing }) => missing.length === 0)
  const samples = new Map(installed.map(({ id }) => [id, [] as Sample[]]))
  for (let round = 1; round <= rounds; round++) {
    for (const [index, trial] of installed.entries()) {
      signal.throwIfAborted()
      onProgress(`round ${round} of ${rounds}, ${index + 1} of ${installed.length}: ${trial.id}`)
      samples.get(trial.id)?.push(await trial.measure(signal))
    }
  }
  return samples
}

export function outcomesOf({ rows, trials }: Agenda, samples: ReadonlyMap<string, readonly Sample[]>): Outcome[] {
  const missingOf = (id: string | undefined) => trials.find((trial) => trial.id === id)?.missing ?? []
  return rows.map((row) => {
    const read = (id: string | undefined) =>
      (samples.get(id ?? '') ?? []).map((sample) => (sample[row.figure] ?? Number.NaN) / DIVISORS[row.unit])
    const our = read(row.ours)
    const their = read(row.theirs)
    const reached =
      row.theirs === undefined
        ? our
        : our.slice(0, their.length).map((value, round) => value / (their[round] ?? Number.NaN))
    const ok = row.bound && reached.length > 0 ? keeps(row.bound, median(reached)) : undefined
    return { ...row, our, their, reached, ok, missing: [...missingOf(row.ours), ...missingOf(row.theirs)] }
  })
}

export function comparisonOf(
  agenda: Agenda,
  samples: ReadonlyMap<string, readonly Sample[]>,
  rounds: number,
  command: string,
): Comparison {
  const outcomes = outcomesOf(agenda, samples)
  const measured = [...samples.keys()].map((id) => id.split('/')[1])
  const contenders = roster.filter(({ name }) => measured.includes(name))
  return {
    command,
    date: new Date().toISOString(),
    machine: machine(),
    node: process.version,
    rounds,
    settings: Object.fromEntries(contenders.map(({ name, settings }) => [name, settings])),
    ok: outcomes.every(({ ok }) => ok !== false),
    outcomes,
  }
}

/** The rows whose name, group or rival is one of these, and the trials they need. */
export function narrow({ rows, trials }: Agenda, only: readonly string[]): Agenda {
  if (only.length === 0) return { rows, trials }
  const wanted = rows.filter((row) => namesOf(row).some((name) => only.includes(name)))
  const needed = new Set(wanted.flatMap(({ ours, theirs }) => [ours, theirs]))
  return { rows: wanted, trials: trials.filter(({ id }) => needed.has(id)) }
}

export function namesOf({ id, ours, theirs, rival }: Row): string[] {
  return [id, ours.split('/')[0] ?? '', ...(theirs === undefined ? [] : [rival])]
}
