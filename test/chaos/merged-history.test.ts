import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { HistoryRecord } from '../simulation/record'
import { mergeHistories, type ProcessHistory, readHistory } from './merged-history'

const LIMITS = {
  frameBytes: 4096,
  outboxBytes: 8192,
  windowBytes: 1000,
  patience: 100,
  rescanInterval: 200,
  handshakeTimeout: 1000,
  pendingHandshakes: 64,
}

function starting(at: number, endpoint: string, name: string): HistoryRecord {
  return { at, endpoint, kind: 'starting', name, groups: [], limits: LIMITS }
}

const one: ProcessHistory = {
  process: 1,
  records: [starting(1, 'a#1', 'a'), starting(2, 'b#1', 'b'), { at: 6, endpoint: 'b#1', kind: 'closing' }],
}
const two: ProcessHistory = {
  process: 2,
  records: [starting(3, 'a#2', 'a'), { at: 5, endpoint: 'a#2', kind: 'refused', code: 'LAHJA_NAME_IN_USE' }],
}

function told(records: readonly HistoryRecord[]): string[] {
  return records.map(({ kind, endpoint, at }) => `${at} ${kind} ${endpoint}`.trim())
}

describe('the merged history of several processes', () => {
  it('has all records in order of time', () => {
    expect(told(mergeHistories([one, two], [{ kind: 'quiet', at: 4 }]))).to.deep.equal([
      '1 starting a#1',
      '2 starting b#1',
      '3 starting a#2',
      '4 quiet',
      '5 refused a#2',
      '6 closing b#1',
    ])
  })

  it('ends each endpoint of a killed process after its last record', () => {
    const records = mergeHistories([one, two], [{ kind: 'killed', at: 4, process: 1 }])
    expect(told(records).slice(-3)).to.deep.equal(['6 closing b#1', '6 killed a#1', '6 killed b#1'])
  })

  it('ends no endpoint that had closed before, and none of another process', () => {
    expect(mergeHistories([one, two], [{ kind: 'killed', at: 8, process: 2 }])).to.have.length(5)
    expect(mergeHistories([one, two], [{ kind: 'killed', at: 8, process: 3 }])).to.have.length(5)
  })

  it('marks all endpoints of a name as unpublished when its file was removed', () => {
    const records = mergeHistories([one, two], [{ kind: 'unpublished', at: 4, name: 'a' }])
    expect(told(records).filter((line) => line.startsWith('4'))).to.deep.equal([
      '4 unpublished a#1',
      '4 unpublished a#2',
    ])
  })

  it('skips an incomplete last line', () => {
    const directory = mkdtempSync(join(tmpdir(), 'lahja-'))
    const path = join(directory, 'process-1.jsonl')
    const line = JSON.stringify({ at: 1, endpoint: 'a#1', kind: 'closing' })
    writeFileSync(path, `${line}\n${line.slice(0, 20)}`)
    expect(readHistory(1, path).records).to.have.length(1)
    expect(readHistory(2, join(directory, 'process-2.jsonl')).records).to.deep.equal([])
    rmSync(directory, { recursive: true })
  })
})
