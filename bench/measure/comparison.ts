import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { contenders } from '../contenders/registry'
import { machine } from './machine'
import { median } from './median'
import { inUnit, keeps, Row } from './row'
import type { Suite } from './suite'
import type { Measured, Trial } from './trial'

/** A row with its results, in its unit, by round. */
const Outcome = v.object({
  ...Row.entries,
  our: v.array(v.number()),
  their: v.array(v.number()),
  /** Ratios of ours to theirs or, without a rival, ours. */
  reached: v.array(v.number()),
  /** Undefined without a bound or a result; false also after a failure. */
  ok: v.optional(v.boolean()),
  /** The commands that install missing packages and servers. */
  missing: v.array(v.string()),
  /** Of either side; later rounds have no figures of a failed side. */
  failures: v.array(v.object({ trial: v.string(), message: v.string() })),
})

/** The JSON object of a program that compares. */
const Comparison = v.object({
  command: v.string(),
  date: v.string(),
  machine: v.string(),
  node: v.string(),
  rounds: v.number(),
  /** By name, of each contender with a result. */
  settings: v.record(v.string(), v.string()),
  /** No bound was missed, and nothing failed. */
  ok: v.boolean(),
  outcomes: v.array(Outcome),
})

export type Outcome = Readonly<v.InferOutput<typeof Outcome>>

export type Comparison = Readonly<v.InferOutput<typeof Comparison>>

/** Reads the JSON object that a program has printed. @throws Error if the file has anything else */
export function readComparison(path: string): Comparison {
  return v.parse(Comparison, JSON.parse(readFileSync(path, 'utf8')))
}

export function comparisonOf(suite: Suite, measured: Measured, rounds: number, command: string): Comparison {
  const outcomes = outcomesOf(suite, measured)
  // Not of a contender without a result: it may be too broken to tell its version.
  const names = [...measured.samples].flatMap(([id, samples]) => (samples.length > 0 ? id.split('/').slice(1, 2) : []))
  const used = contenders.filter(({ name }) => names.includes(name))
  return {
    command,
    date: new Date().toISOString(),
    machine: machine(),
    node: process.version,
    rounds,
    settings: Object.fromEntries(used.map(({ name, settings }) => [name, settings])),
    ok: outcomes.every(({ ok }) => ok !== false),
    outcomes,
  }
}

export function outcomesOf({ rows, trials }: Suite, measured: Measured): Outcome[] {
  return rows.map((row) => outcomeOf(row, trials, measured))
}

function outcomeOf(row: Row, trials: readonly Trial[], { samples, failures }: Measured): Outcome {
  const { ours, theirs, bound, figure, unit } = row
  const read = (id = '') => (samples.get(id) ?? []).map((sample) => inUnit(sample[figure] ?? Number.NaN, unit))
  const our = read(ours)
  const their = read(theirs)
  const ratios = our.slice(0, their.length).map((value, round) => value / (their[round] ?? Number.NaN))
  const reached = theirs === undefined ? our : ratios
  const sides = [ours, theirs ?? []].flat()
  const missing = sides.flatMap((id) => trials.find((trial) => trial.id === id)?.missing ?? [])
  const failed = sides.flatMap((id) => failures.get(id) ?? [])
  const isKept = bound && reached.length > 0 ? keeps(bound, median(reached)) : undefined
  return { ...row, our, their, reached, ok: failed.length > 0 ? false : isKept, missing, failures: failed }
}
