import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { check } from '../simulation/checker'
import type { Violation } from '../simulation/checker/violation'
import { planOf } from '../simulation/plan'
import { Random } from '../simulation/random'
import type { HistoryRecord } from '../simulation/record'
import * as procedures from './actor-procedures'
import { FaultInjector } from './fault-injector'
import { Fleet } from './fleet'
import { mergeHistories } from './merged-history'

/** Milliseconds without a record after which all work is done, and the maximum number of checks. */
const SILENCE = 700
const LOOKS = 80

export interface Extent {
  readonly seed: number
  readonly processes: number
  /** Milliseconds of faults. */
  readonly duration: number
}

/** The result of one round. */
export interface Outcome {
  readonly extent: Extent
  readonly records: readonly HistoryRecord[]
  readonly violations: readonly Violation[]
  readonly kills: number
  /** The directory of the log files; removed if there are no violations. */
  readonly logs: string
}

/** Runs real processes on their own bus, first with faults, then without, until all have left. */
export async function playRound(extent: Extent): Promise<Outcome> {
  const { seed, processes, duration } = extent
  const logs = await mkdtemp(join(tmpdir(), 'lahja-chaos-'))
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const { names } = planOf(new Random(seed), { endpoints: Math.ceil(processes * 1.5) })
  const random = new Random(seed)
  const fleet = new Fleet({ directory, logs, seed, names }, random.fork())
  try {
    await new FaultInjector(fleet, names, random).run(processes, duration)
    await fleet.heal()
    await quieten(fleet)
    await finish(fleet)
  } catch (error) {
    fleet.crashes.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await fleet.end()
  }
  const { events, crashes } = fleet
  const kills = events.filter(({ kind }) => kind === 'killed').length
  // A file that was about to be published by a killed process stays for a minute.
  const left = (await readdir(directory)).filter((file) => kills === 0 || !file.endsWith('.new'))
  await rm(directory, { recursive: true })
  const records = mergeHistories(fleet.histories(), events)
  const index = records.length
  const violations = [
    ...crashes.map((message) => ({ guarantee: 'crash', message, index })),
    ...left.map((file) => ({ guarantee: 'G12', message: `${file} was left`, index })),
    ...check(records),
  ]
  if (violations.length === 0) await rm(logs, { recursive: true })
  else await writeFile(join(logs, 'history.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  return { extent, records, violations, kills, logs }
}

/** Checks that everything sent arrives; half of all processes leave first, then the others. */
async function finish(fleet: Fleet): Promise<void> {
  await look(fleet)
  await all(fleet, procedures.listen)
  await quieten(fleet)
  for (let round = 0; round < 3; round++) await all(fleet, procedures.speak)
  await quieten(fleet)
  await fleet.dismiss(fleet.processes.filter((_, index) => index % 2 === 0))
  await quieten(fleet)
  await look(fleet)
  await fleet.dismiss(fleet.processes)
}

async function all({ processes }: Fleet, procedure: typeof procedures.listen): Promise<void> {
  await Promise.all(processes.map(({ process }) => process.call(procedure, undefined)))
}

/** All processes record their peers, at one time in the history. */
async function look(fleet: Fleet): Promise<void> {
  const at = fleet.note('quiet')
  await Promise.all(fleet.processes.map(({ process }) => process.call(procedures.look, at)))
}

/** Waits until all endpoints are linked and all work is done. */
async function quieten(fleet: Fleet): Promise<void> {
  let before = -1
  let last = ''
  for (let look = 0; look < LOOKS; look++) {
    await setTimeout(SILENCE)
    const standings = await Promise.all(
      fleet.processes.map(({ process }) => process.call(procedures.standing, undefined)),
    )
    const sum = (key: keyof procedures.Standing) => standings.reduce((total, standing) => total + standing[key], 0)
    const up = sum('up')
    const isSettled = sum('pending') === 0 && sum('turning') === 0 && sum('peers') === up * (up - 1)
    if (isSettled && sum('records') === before) return void fleet.note('quiet')
    before = sum('records')
    last = JSON.stringify(standings)
  }
  throw new Error(`expected everyone to know everyone and nothing to be under way any more, got ${last}`)
}

/** The report of a round with violations. */
export function reportOf({ extent, violations, records, logs }: Outcome): string {
  const told = violations.slice(0, 10).map(({ guarantee, message, index }) => `  ${guarantee} at ${index}: ${message}`)
  const { seed, processes, duration } = extent
  return [
    `seed ${seed}: ${violations.length} violations in ${records.length} records, which are kept in ${logs}`,
    ...told,
    `the same faults: npm run chaos -- --seed ${seed} --seconds ${duration / 1000} --processes ${processes}`,
  ].join('\n')
}
