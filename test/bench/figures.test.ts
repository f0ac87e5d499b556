import { expect } from 'chai'
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { resultOf } from '../../bench/figures'
import { latencyRange } from '../../bench/latency'
import type { Round } from '../../bench/round'

const PLAN = { processes: 2, events: 100, payloadBytes: 16, rounds: 3, json: true }

/** 100 events for each of two consumers, the second of which takes twice as long. */
function round(milliseconds: number, microseconds: number, lost = 0): Round {
  return [1, 2].map((factor) => {
    const latencies = build(latencyRange)
    latencies.recordValueWithCount(microseconds * factor, 100 - lost)
    return {
      received: 100 - lost,
      lost,
      outOfOrder: 0,
      duplicates: 0,
      firstSentAt: 5000,
      lastReceivedAt: 5000 + milliseconds * factor,
      latencies: encodeIntoCompressedBase64(latencies),
    }
  })
}

describe('resultOf', () => {
  it('takes the time of all deliveries from the first that is sent to the last that arrives', () => {
    const { consumers, total, ok } = resultOf(PLAN, [round(100, 50)])
    expect(consumers.map(({ eventsPerSecond }) => eventsPerSecond)).to.deep.equal([1000, 500])
    expect(consumers.map(({ p50Microseconds }) => p50Microseconds)).to.deep.equal([50, 100])
    expect(total).to.include({ eventsPerSecond: 1000, p50Microseconds: 50, p99Microseconds: 100, received: 200 })
    expect(ok).to.equal(true)
  })

  it('takes the median of the rounds for speeds and their sum for counts', () => {
    const { consumers, total } = resultOf(PLAN, [round(100, 10), round(1000, 90), round(200, 20)])
    expect(consumers[0]).to.include({ name: 'consumer-1', eventsPerSecond: 500, p50Microseconds: 20, received: 300 })
    expect(total).to.include({ eventsPerSecond: 500, received: 600 })
  })

  it('is not ok when one event of one round is lost', () => {
    const { ok, total } = resultOf(PLAN, [round(100, 10), round(100, 10, 1), round(100, 10)])
    expect({ ok, lost: total.lost }).to.deep.equal({ ok: false, lost: 2 })
  })

  it('knows no speed where nothing arrived', () => {
    const { ok, total } = resultOf(PLAN, [round(0, 0, 100)])
    expect(ok).to.equal(false)
    expect(total).to.include({ eventsPerSecond: 0, p50Microseconds: 0, received: 0, lost: 200 })
  })
})
