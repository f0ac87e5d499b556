import { roster } from '../contenders/registry'
import { machine } from './machine'
import { median } from './median'
import type { Agenda } from './peers-suite'
import { DIVISORS, keeps, type Row } from './row'
import type { Sample, Trial } from './trial'

/** What became of one row. Figures are in the row's unit, one of each round. */
export interface Outcome extends Row {
  readonly our: readonly number[]
  readonly their: readonly number[]
  /** Of each round: ours divided by theirs or, where there is nobody else, ours. */
  readonly reached: readonly number[]
  /** undefined, if there is no bound or nothing was measured; false also if something went wrong. */
  readonly ok: boolean | undefined
  /** The commands that install what is missing, if nothing was measured. */
  readonly missing: readonly string[]
  /** Of either side. Who failed has no figures of the rounds from there on. */
  readonly failures: readonly Failure[]
}

/** What went wrong with a trial. */
export interface Failure {
  readonly trial: string
  readonly message: string
}

/** What became of the trials, by their ids. */
export interface Measured {
  /** In the order of the rounds; of those that are installed. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>
  /** What went wrong, of those that something did go wrong with. */
  readonly failures: ReadonlyMap<string, Failure>
}

/** What `--json` prints. */
export interface Comparison {
  readonly command: string
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly rounds: number
  /** Of all of whom something was measured, by name. */
  readonly settings: Readonly<Record<string, string>>
  /** Was no bound missed, and did nothing go wrong? */
  readonly ok: boolean
  readonly outcomes: readonly Outcome[]
}

/**
 * Measures all trials in turns, so that whatever disturbs the machine for a while disturbs all of them. A trial that
 * fails is not tried again; the others go on, and what was measured is kept.
 *
 * @param onFailure called at once, as it may take long until all is measured
 */
export async function measureInTurns(
  trials: readonly Trial[],
  rounds: number,
  onProgress: (text: string) => void,
  onFailure: (failure: Failure) => void,
  signal: AbortSignal,
): Promise<Measured> {
  const installed = trials.filter(({ missing }) => missing.length === 0)
  const samples = new Map(installed.map(({ id }) => [id, [] as Sample[]]))
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

export function outcomesOf({ rows, trials }: Agenda, measured: Measured): Outcome[] {
  return rows.map((row) => outcomeOf(row, trials, measured))
}

function outcomeOf(row: Row, trials: readonly Trial[], { samples, failures }: Measured): Outcome {
  const read = (id = '') =>
    (samples.get(id) ?? []).map((sample) => (sample[row.figure] ?? Number.NaN) / DIVISORS[row.unit])
  const our = read(row.ours)
  const their = read(row.theirs)
  const reached =
    row.theirs === undefined
      ? our
      : our.slice(0, their.length).map((value, round) => value / (their[round] ?? Number.NaN))
  const sides = row.theirs === undefined ? [row.ours] : [row.ours, row.theirs]
  const missing = sides.flatMap((id) => trials.find((trial) => trial.id === id)?.missing ?? [])
  const failed = sides.flatMap((id) => failures.get(id) ?? [])
  const isKept = row.bound && reached.length > 0 ? keeps(row.bound, median(reached)) : undefined
  return { ...row, our, their, reached, ok: failed.length > 0 ? false : isKept, missing, failures: failed }
}

export function comparisonOf(agenda: Agenda, measured: Measured, rounds: number, command: string): Comparison {
  const outcomes = outcomesOf(agenda, measured)
  // Not of whom nothing was measured: it may be too broken to tell its version.
  const names = [...measured.samples].flatMap(([id, samples]) => (samples.length > 0 ? id.split('/').slice(1, 2) : []))
  const contenders = roster.filter(({ name }) => names.includes(name))
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
