import { expect } from 'chai'
import { openMetricsOf } from '../src/open-metrics'
import { freshBus, until } from './support/bus'

/** A line of a sample: its name, its labels, and its value. */
const SAMPLE = /^(lahja_[a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*\}) (-?[\d.e+-]+)$/

describe('OpenMetrics text', () => {
  const bus = freshBus()

  const samples = (text: string) => {
    return text.split('\n').flatMap((line) => {
      const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? []
      return name === '' ? [] : [{ name, labels, value: Number(value) }]
    })
  }

  it('has the numbers of the statistics, under one head for each metric', async () => {
    const { shop, desk } = await bus.startAll('shop', 'desk')
    await desk.subscribe('order.*', () => {}).ready
    await desk.subscribe('job', () => {}, { queue: 'jobs' }).ready
    await desk.respond('ask', () => 1).ready
    for (let number = 0; number < 5; number++) await shop.broadcast('order.placed', number)
    await shop.broadcast('job', 1)
    await shop.request('ask')
    await until(() => desk.stats().events.reduce((sum, { handled }) => sum + handled, 0) === 6)
    for (const endpoint of [shop, desk]) {
      const stats = endpoint.stats()
      const text = openMetricsOf(stats)
      const lines = text.split('\n')
      expect(lines.slice(-2)).to.deep.equal(['# EOF', ''])
      for (const line of lines.slice(0, -2))
        expect(line).to.match(line.startsWith('#') ? /^# (TYPE|HELP) lahja_/ : SAMPLE)
      const heads = lines.filter((line) => line.startsWith('# TYPE'))
      expect(new Set(heads).size).to.equal(heads.length)
      for (const { type, sent, deliveries, received, handled } of stats.events) {
        const labels = `{endpoint="${endpoint.name}",type="${type}"}`
        for (const [name, value] of Object.entries({ sent, deliveries, received, handled })) {
          expect(samples(text)).to.deep.include({ name: `lahja_events_${name}_total`, labels, value })
        }
      }
    }
    const text = openMetricsOf(shop.stats())
    const buckets = samples(text).filter(({ name }) => name === 'lahja_request_seconds_bucket')
    expect(buckets.at(-1)).to.deep.include({ labels: '{endpoint="shop",type="ask",le="+Inf"}', value: 1 })
    expect(buckets.map(({ value }) => value)).to.deep.equal(buckets.map(({ value }) => value).toSorted())
    expect(samples(text)).to.deep.include({ name: 'lahja_peers', labels: '{endpoint="shop"}', value: 1 })
  })

  it('escapes the names of types', async () => {
    const shop = await bus.start('shop')
    await shop.broadcast('a"b\\c', 1)
    const text = shop.metrics()
    expect(text).to.contain('lahja_events_sent_total{endpoint="shop",type="a\\"b\\\\c"} 1\n')
  })
})
