import { expect } from 'chai'
import fc from 'fast-check'
import { LatencyHistogram } from '../../src/requests/latency-histogram'

describe('a latency histogram', () => {
  it('counts each duration in the first bucket whose bound is not below it', () => {
    const histogram = new LatencyHistogram()
    for (const ms of [0, 0.05, 0.06, 1, 30_000, 30_001, 1e9]) histogram.add(ms)
    const { boundsMs, buckets } = histogram.stats()
    const counts = buckets.map((count, index) => [boundsMs[index] ?? 'more', count]).filter(([, count]) => count !== 0)
    expect(counts).to.deep.equal([
      [0.05, 2],
      [0.1, 1],
      [1, 1],
      [30_000, 1],
      ['more', 2],
    ])
  })

  it('has every duration in its number, its sum and one bucket', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60_000 })), (durations) => {
        const histogram = new LatencyHistogram()
        for (const ms of durations) histogram.add(ms)
        const { count, sumMs, boundsMs, buckets } = histogram.stats()
        const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
        expect([count, sumMs, sum(buckets)]).to.deep.equal([durations.length, sum(durations), durations.length])
        expect(buckets).to.have.length(boundsMs.length + 1)
      }),
    )
  })
})
