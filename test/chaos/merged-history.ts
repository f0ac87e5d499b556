import { existsSync, readFileSync } from 'node:fs'
import { type HistoryRecord, parseRecord } from '../simulation/record'
import type { RoundEvent } from './round-event'

/** The records of one process. */
export interface ProcessHistory {
  readonly process: number
  readonly records: readonly HistoryRecord[]
}

/** Reads a log file. A killed process may leave an incomplete last line, or no file. */
export function readHistory(process: number, path: string): ProcessHistory {
  if (!existsSync(path)) return { process, records: [] }
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return { process, records: lines.map(parseRecord) }
}

/** Merges the records of several processes with the events of the round. */
export function mergeHistories(histories: readonly ProcessHistory[], events: readonly RoundEvent[]): HistoryRecord[] {
  const told = histories.flatMap(({ records }) => records)
  const done = events.flatMap((event) => recordsOf(event, histories))
  return [...told, ...done].sort((one, other) => one.at - other.at)
}

function recordsOf(event: RoundEvent, histories: readonly ProcessHistory[]): HistoryRecord[] {
  const { at } = event
  switch (event.kind) {
    case 'killed': {
      const records = histories.find(({ process }) => process === event.process)?.records ?? []
      // It was alive when it wrote its last record, and others can have noticed its death only after that.
      const end = Math.max(at, ...records.slice(-1).map((record) => record.at))
      return livesIn(records, end).map(({ endpoint }) => ({ at: end, endpoint, kind: 'killed' }))
    }
    case 'unpublished': {
      const lives = histories.flatMap(({ records }) => livesIn(records, at)).filter(({ name }) => name === event.name)
      return lives.map(({ endpoint }) => ({ at, endpoint, kind: 'unpublished' }))
    }
    case 'leftover': {
      const records = histories.find(({ process }) => process === event.process)?.records ?? []
      const [life] = records.filter(({ kind }) => kind === 'starting')
      return life ? [{ at, endpoint: life.endpoint, kind: 'leftover', what: event.what, count: 1 }] : []
    }
    case 'healed':
    case 'quiet':
      return [{ at, endpoint: '', kind: event.kind }]
  }
}

interface Life {
  readonly endpoint: string
  readonly name: string
}

/** The endpoints that were starting or up at this time. */
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
