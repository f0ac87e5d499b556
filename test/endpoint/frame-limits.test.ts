import { expect } from 'chai'
import { type Endpoint, PayloadTooLarge } from '../../src'
import { freshBus, until } from '../support/bus'
import { payloadsAt } from '../support/payloads'
import { rejection } from '../support/rejection'
import { reportsOf } from '../support/reports'

const LARGE = Buffer.alloc(6000)

describe('A peer with a smaller frame limit', () => {
  const bus = freshBus()
  let sender: Endpoint
  let large: Endpoint
  let small: Endpoint

  beforeEach(async () => {
    ;({ sender, large, small } = await bus.startEach({
      sender: {},
      large: {},
      small: { limits: { frameBytes: 4096 } },
    }))
  })

  it('misses larger events with a gap, is reported once, and keeps nobody else from them (G5)', async () => {
    const [reports, gaps] = [reportsOf(sender), [] as number[]]
    small.on('gap', ({ count }) => gaps.push(count))
    const received = [await payloadsAt(large, 'tick'), await payloadsAt(small, 'tick')]
    for (const payload of [1, LARGE, LARGE, 2]) await sender.broadcast('tick', payload)
    await until(() => received.every((payloads) => payloads.at(-1) === 2) && gaps.length > 0)
    expect(received.map((payloads) => payloads.length)).to.deep.equal([4, 2])
    expect(gaps.reduce((sum, count) => sum + count, 0)).to.equal(2)
    expect(reports.map(({ code, message }) => [code, message.includes('small takes at most 4096')])).to.deep.equal([
      ['LAHJA_PAYLOAD_TOO_LARGE', true],
    ])
  })

  it('is not counted as a receiver, and rejects the event if there is no other', async () => {
    await small.subscribe('tick', () => {}).ready
    expect(await rejection(sender.broadcast('tick', LARGE))).to.be.instanceOf(PayloadTooLarge)
    await large.subscribe('tick', () => {}).ready
    expect(await sender.broadcast('tick', LARGE)).to.equal(1)
  })

  it('causes one report a second by requests whose response it does not take, and gets an answer to each', async () => {
    const reports = reportsOf(large)
    await large.respond('ask', () => LARGE).ready
    const failures = await Promise.all(Array.from({ length: 100 }, () => rejection(small.request('ask', 1))))
    for (const failure of failures) expect(failure).to.have.nested.property('remote.name', 'PayloadTooLarge')
    expect(reports).to.have.length.within(1, 3)
    await large.close()
    expect(reports.at(-1)?.message).to.match(/more like it within a second\)$/)
  })

  it('in a queue of its own does not keep others from the event', async () => {
    const reports = reportsOf(sender)
    await small.subscribe('job', () => {}, { queue: 'small' }).ready
    const received = await payloadsAt(large, 'job')
    expect(await sender.broadcast('job', LARGE)).to.equal(1)
    await until(() => received.length === 1)
    expect(reports.map(({ code }) => code)).to.deep.equal(['LAHJA_PAYLOAD_TOO_LARGE'])
  })
})
