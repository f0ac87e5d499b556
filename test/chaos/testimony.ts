import { existsSync, readFileSync } from 'node:fs'
import { type HistoryRecord, parseRecord } from '../simulation/record'
import type { Fate } from './fate'

/** What one process has written down. */
export interface Testimony {
  readonly process: number
  readonly records: readonly HistoryRecord[]
}

/** A process that is killed may leave a line that it has only begun, or nothing at all. */
export function readTestimony(process: number, path: string): Testimony {
  if (!existsSync(path)) return { process, records: [] }
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return { process, records: lines.map(parseRecord) }
}

/** One history of all that several processes have written down and of what was done to them. */
export function historyOf(testimonies: readonly Testimony[], fates: readonly Fate[]): HistoryRecord[] {
  const told = testimonies.flatMap(({ records }) => records)
  const done = fates.flatMap((fate) => recordsOf(fate, testimonies))
  return [...told, ...done].sort((one, other) => one.at - other.at)
}

function recordsOf(fate: Fate, testimonies: readonly Testimony[]): HistoryRecord[] {
  const { at } = fate
  switch (fate.kind) {
    case 'killed': {
      const records = testimonies.find(({ process }) => process === fate.process)?.records ?? []
      // It was alive when it wrote its last line, and others can have noticed its death only after that.
      const end = Math.max(at, ...records.slice(-1).map((record) => record.at))
      return livesIn(records, end).map(({ endpoint }) => ({ at: end, endpoint, kind: 'killed' }))
    }
    case 'unpublished': {
      const lives = testimonies.flatMap(({ records }) => livesIn(records, at)).filter(({ name }) => name === fate.name)
      return lives.map(({ endpoint }) => ({ at, endpoint, kind: 'unpublished' }))
    }
    case 'leftover': {
      const records = testimonies.find(({ process }) => process === fate.process)?.records ?? []
      const [life] = records.filter(({ kind }) => kind === 'starting')
      return life ? [{ at, endpoint: life.endpoint, kind: 'leftover', what: fate.what, count: 1 }] : []
    }
    case 'healed':
    case 'quiet':
      return [{ at, endpoint: '', kind: fate.kind }]
  }
}

interface Life {
  readonly endpoint: string
  readonly name: string
}

/** Those that had begun by then and were not over. */
function livesIn(records: readonly HistoryRecord[], at: number): Life[] {
  const lives = new Map<string, Life>()
  for (const record of records) {
    if (record.at > at) break
    const { endpoint } = record
    if (record.kind === 'starting') lives.set(endpoint, { endpoint, name: record.name })
    else if (record.kind === 'refused' || record.kind === 'closed') lives.delete(endpoint)
  }
  return [...lives.values()]
}
