import { expect } from 'chai'
import { figuresByProcess, figuresOfAll, isComplete, overRounds } from '../../../bench/measure/figures'
import type { Round } from '../../../bench/measure/round'
import { Latencies } from '../../../bench/workers/latencies'
import type { ProcessReport } from '../../../bench/workers/message'

const NOTHING = { startedAt: 0, endedAt: 0, arrived: 0, lost: 0, outOfOrder: 0, duplicates: 0, share: '' }

/** 100 events to each of two consumers; the second takes twice as long. */
function round(milliseconds: number, microseconds: number, lost = 0): Round {
  const report = (
    name: string,
    number: number,
    latencies: Latencies,
    counts: Partial<ProcessReport>,
  ): ProcessReport => ({
    ...NOTHING,
    name,
    number,
    latencies: latencies.encode(),
    cpuMicroseconds: 50_000,
    rssBytes: 2 ** 20,
    ...counts,
  })
  const receivers = [1, 2].map((factor) => {
    const latencies = Latencies.none()
    latencies.add(microseconds * factor, 100 - lost)
    const endedAt = 5_000_000 + milliseconds * factor * 1000
    return report(`consumer-${factor}`, factor, latencies, { endedAt, arrived: 100 - lost, lost })
  })
  return { receivers, others: [report('sender', 0, Latencies.none(), { startedAt: 5_000_000, endedAt: 5_000_001 })] }
}

describe('figures of a round', () => {
  it('figures measure the time from the first event sent to the last event received', () => {
    const [sender, first, second] = figuresByProcess(round(100, 50))
    expect(sender).to.include({ name: 'sender', received: 0 })
    expect(first).to.include({ name: 'consumer-1', eventsPerSecond: 1000, p50Microseconds: 50 })
    expect(second).to.include({ name: 'consumer-2', eventsPerSecond: 500, p50Microseconds: 100 })
    expect(figuresOfAll(round(100, 50))).to.include({
      eventsPerSecond: 1000,
      p50Microseconds: 50,
      p90Microseconds: 100,
      p99Microseconds: 100,
      maxMicroseconds: 100,
      received: 200,
    })
  })

  it('figures measure the time from the first measured event received where receivers have noted it', () => {
    const { receivers, others } = round(100, 50)
    const late = receivers.map((report) => ({ ...report, startedAt: report.endedAt - 50_000 }))
    expect(figuresByProcess({ receivers: late, others })[1]).to.include({ eventsPerSecond: 2000 })
  })

  it('figures include the CPU time and the memory of all processes, also of the sender', () => {
    const { cpuSeconds, cpuSecondsPerMillion, rssBytes } = figuresOfAll(round(100, 50))
    expect({ cpuSeconds, rssBytes }).to.deep.equal({ cpuSeconds: 0.15, rssBytes: 3 * 2 ** 20 })
    expect(cpuSecondsPerMillion).to.be.closeTo(750, 1e-6)
  })

  it('figures over several rounds are medians of speeds, sums of counts and the maximum of maxima', () => {
    const rounds = [round(100, 10), round(1000, 90), round(200, 20)].map(figuresOfAll)
    expect(overRounds(rounds)).to.include({
      eventsPerSecond: 500,
      p50Microseconds: 20,
      maxMicroseconds: 180,
      received: 600,
    })
  })

  it('figures are complete only if no event is lost, duplicated or out of order', () => {
    const figures = figuresOfAll(round(100, 10))
    expect(isComplete(figures)).to.equal(true)
    expect(isComplete(figuresOfAll(round(100, 10, 1)))).to.equal(false)
    for (const fault of ['lost', 'outOfOrder', 'duplicates']) {
      expect(isComplete({ ...figures, [fault]: 1 })).to.equal(false)
    }
  })

  it('figures have a speed of 0 if no event arrived', () => {
    const figures = figuresOfAll(round(0, 0, 100))
    expect(figures).to.include({ eventsPerSecond: 0, p50Microseconds: 0, received: 0, lost: 200 })
    expect(isComplete(figures)).to.equal(false)
  })
})
