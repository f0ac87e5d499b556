import { join } from 'node:path'
import { expect } from 'chai'
import { useBus } from '../multiprocess/bus'
import { check } from '../simulation/checker'
import type { HistoryRecord, Kind } from '../simulation/record'
import { describeWithPython } from './describe-with-python'
import { InteropRun } from './interop-run'
import { PythonMember } from './python-member'

describeWithPython('the checker, given the history of a run with a peer in Python,', test)

function test(python: string): void {
  const bus = useBus('shared')
  let history: HistoryRecord[] = []
  let untilLeave: HistoryRecord[] = []

  before(async () => {
    const snake = new PythonMember(python, bus.directory, join(bus.logs, 'snake.jsonl'), 'snake')
    try {
      const run = new InteropRun(bus, snake)
      await run.run()
      history = run.history
      untilLeave = run.untilLeave
    } finally {
      await snake.end()
    }
  })

  const ofSnake = (kind: Kind) => history.filter((record) => record.endpoint === 'snake#python' && record.kind === kind)

  it('G1, G2, G3, G4, G5, G6, G7, G9, G11, G12: finds no violation', () => {
    expect(check(history)).to.deep.equal([])
    // Missing queue events are judged only before the peer leaves.
    expect(check(untilLeave)).to.deep.equal([])
  })

  it('finds records of everything that a peer can do', () => {
    expect(ofSnake('sent')).to.have.length.above(500)
    expect(ofSnake('received')).to.have.length.above(500)
    for (const kind of ['begun', 'replied'] as const) expect(ofSnake(kind), kind).to.have.length.above(50)
    expect(ofSnake('joined')).to.have.length(3)
    for (const kind of ['subscribed', 'ready', 'unsubscribed', 'acquainted', 'closing', 'closed'] as const) {
      expect(ofSnake(kind), kind).not.to.be.empty
    }
  })

  /** What the checker names when one record of the peer in Python is replaced by others. */
  function spoilt(
    records: readonly HistoryRecord[],
    fits: (record: HistoryRecord) => boolean,
    replace: (record: HistoryRecord) => HistoryRecord[],
  ): string[] {
    const isOne = (record: HistoryRecord) => record.endpoint === 'snake#python' && fits(record)
    const place = records.findIndex(isOne)
    const one = records[place] ?? expect.fail('expected a record that fits')
    return named(records.toSpliced(place, 1, ...replace(one)))
  }

  const named = (records: readonly HistoryRecord[]) => [...new Set(check(records).map(({ guarantee }) => guarantee))]

  const isHeard = (record: HistoryRecord) => record.kind === 'received' && record.type === 'a.x'
  const isJob = (record: HistoryRecord) => record.kind === 'received' && record.type === 'b.job'
  const forget = () => []
  const double = (record: HistoryRecord) => [record, record]

  it('finds missing, repeated, altered and reordered received events', () => {
    expect(spoilt(history, isHeard, forget)).to.deep.equal(['G5', 'G6'])
    expect(spoilt(untilLeave, isJob, forget)).to.deep.equal(['G6'])
    expect(spoilt(history, isHeard, double)).to.deep.equal(['G3'])
    expect(spoilt(history, isJob, double)).to.deep.equal(['G3'])
    const falsify = (record: HistoryRecord) => (record.kind === 'received' ? [{ ...record, digest: 1 }] : [])
    expect(spoilt(history, isHeard, falsify)).to.deep.equal(['G1'])
    const misplace = (record: HistoryRecord) => (record.kind === 'received' ? [{ ...record, subscription: 2 }] : [])
    expect(spoilt(history, isJob, misplace)).to.include('G2')
  })

  it('finds an event received late', () => {
    const isHeardOfEarly = (record: HistoryRecord) =>
      isHeard(record) && 'sender' in record && record.sender === 'early#1'
    const heard = ofSnake('received').filter(
      (record) => isHeardOfEarly(record) && 'subscription' in record && record.subscription === 1,
    )
    const [first, last] = [heard[0], heard.at(-1)]
    const late = history.flatMap((record) =>
      record === first ? [] : record === last && first ? [record, first] : [record],
    )
    expect(named(late)).to.deep.equal(['G4'])
  })

  it('finds missing records of sending, handling and closing', () => {
    const kinds = (kind: Kind) => (record: HistoryRecord) => record.kind === kind
    expect(spoilt(history, (record) => record.kind === 'sent' && record.type === 'a.x', forget)).to.deep.equal(['G1'])
    expect(spoilt(history, kinds('begun'), double)).to.deep.equal(['G11'])
    expect(spoilt(history, kinds('settled'), forget)).to.deep.equal(['G11'])
    expect(spoilt(history, kinds('closing'), forget)).to.include('G12')
    const mistake = (record: HistoryRecord) => (record.kind === 'acquainted' ? [{ ...record, peers: [] }] : [])
    expect(spoilt(history, kinds('acquainted'), mistake)).to.deep.equal(['G9'])
  })
}
