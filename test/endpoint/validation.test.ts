import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { defineEvent, defineRequest, InvalidPayload, RemoteError, type StandardSchema } from '../../src'
import { freshBus, until } from '../support/bus'
import { leavesOf } from '../support/members'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'
import { throwing } from '../support/throwing'

const toDate = (text: string) => new Date(text)

/** The same schema in two libraries: a date that is sent as text, and an optional unit. */
const READINGS = {
  zod: defineEvent('reading.zod', z.object({ at: z.iso.datetime().transform(toDate), unit: z.string().default('°C') })),
  valibot: defineEvent(
    'reading.valibot',
    v.object({ at: v.pipe(v.string(), v.isoTimestamp(), v.transform(toDate)), unit: v.optional(v.string(), '°C') }),
  ),
}

const AT = '2020-02-20T20:20:20Z'

describe('Endpoint with schemas', () => {
  const bus = freshBus()

  for (const [library, Reading] of Object.entries(READINGS)) {
    describe(`of ${library}`, () => {
      it('rejects an invalid payload at its sender, and sends nothing', async () => {
        const { a, b } = await bus.startAll('a', 'b')
        const got: unknown[] = []
        for (const each of [a, b]) await each.subscribe(Reading.name, ({ payload }) => got.push(payload)).ready
        const wrong = Object.assign({ at: AT }, { at: 'yesterday' })
        for (const attempt of [a.broadcast(Reading, wrong), () => a.broadcastNowait(Reading, wrong)]) {
          const error = await rejection(attempt)
          expect(error).to.be.instanceOf(InvalidPayload).and.include({ code: 'LAHJA_INVALID_PAYLOAD' })
          expect(error.message).to.contain(Reading.name).and.contain('at:')
          expect(Reflect.get(error, 'issues')).to.have.length(1)
        }
        expect(await a.broadcast(Reading, { at: AT })).to.equal(2)
        await until(() => got.length === 2)
        expect(got).to.deep.equal([{ at: AT }, { at: AT }])
      })

      it('delivers the transformed payload, with defaults, here and at peers', async () => {
        const { a, b } = await bus.startAll('a', 'b')
        const got: unknown[] = []
        for (const each of [a, b]) await each.subscribe(Reading, ({ payload }) => got.push(payload)).ready
        await a.broadcast(Reading, { at: AT })
        await a.broadcast(Reading, { at: AT, unit: 'K' })
        await until(() => got.length === 4)
        const units = got.map((payload) => Reflect.get(Object(payload), 'unit')).sort()
        expect(units).to.deep.equal(['K', 'K', '°C', '°C'])
        for (const payload of got) expect(Reflect.get(Object(payload), 'at')).to.deep.equal(new Date(AT))
      })

      it('reports an invalid payload that arrives, skips it and goes on', async () => {
        const { a, b } = await bus.startAll('a', 'b')
        const reports = reportsOf(b)
        const got: unknown[] = []
        await b.subscribe(Reading, ({ payload }) => got.push(payload.unit)).ready
        await a.broadcast(Reading.name, { at: 7 })
        await a.broadcast(Reading.name, { at: AT, unit: 'K' })
        await until(() => got.length === 1)
        expect(got).to.deep.equal(['K'])
        expect(codesOf(reports)).to.deep.equal(['LAHJA_INVALID_PAYLOAD'])
        expect(reports[0]?.message).to.contain('from a').and.contain(Reading.name).and.contain('at:')
        const event = { type: Reading.name, payload: { at: 7 }, origin: 'a', headers: {} }
        expect(reports[0]).to.have.deep.property('event', event)
      })

      it('validates for stream and waitFor too', async () => {
        const { a, b } = await bus.startAll('a', 'b')
        const reports = reportsOf(b)
        const stream = b.stream(Reading, { limit: 1 })
        const event = b.waitFor(Reading)
        await stream.ready
        await until(() => a.isEndpointSubscribedTo('b', Reading.name))
        await a.broadcast(Reading.name, 'nothing of it')
        await a.broadcast(Reading, { at: AT })
        const expected = { type: Reading.name, payload: { at: new Date(AT), unit: '°C' }, origin: 'a', headers: {} }
        expect((await stream.next()).value).to.deep.equal(expected)
        expect(await event).to.deep.equal(expected)
        await until(() => reports.length === 2)
        expect(codesOf(reports)).to.deep.equal(['LAHJA_INVALID_PAYLOAD', 'LAHJA_INVALID_PAYLOAD'])
      })

      it('settles a queue event with an invalid payload', async () => {
        const { a, b } = await bus.startAll('a', 'b')
        const reports = reportsOf(b)
        const got: unknown[] = []
        await b.subscribe(Reading, ({ payload }) => got.push(payload.unit), { queue: 'q' }).ready
        await a.broadcast(Reading.name, 'nothing of it')
        await a.broadcast(Reading.name, { at: AT, unit: 'K' })
        await until(() => got.length === 1)
        const left = leavesOf(a)
        await b.close()
        await until(() => left.length === 1)
        expect(left).to.deep.equal([['b', 0]])
        expect(codesOf(reports)).to.deep.equal(['LAHJA_INVALID_PAYLOAD'])
      })
    })
  }

  it('gives responders the transformed request, and askers the transformed response', async () => {
    const Ask = defineRequest('ask', {
      request: z.object({ at: z.iso.datetime().transform(toDate) }),
      response: v.pipe(v.number(), v.transform(String)),
    })
    const { a, b } = await bus.startAll('a', 'b')
    await b.respond(Ask, ({ payload }) => payload.at.getUTCFullYear()).ready
    const answer: string = await a.request(Ask, { at: AT })
    expect(answer).to.equal('2020')
  })

  it('does not send a response that does not fit its schema', async () => {
    const Ask = defineRequest('ask', { request: z.number(), response: z.string() })
    const { a, b } = await bus.startAll('a', 'b')
    const wrong = Object.assign({ text: '' }, { text: 7 })
    await b.respond(Ask, () => wrong.text).ready
    const error = await rejection(a.request('ask', 1))
    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ code: 'LAHJA_INVALID_PAYLOAD' })
  })

  it('reports a Map, a Set and a class where they arrive, and makes them of their plain forms', async () => {
    class Point {}
    const { a, b } = await bus.startAll('a', 'b')
    const reports = reportsOf(b)
    const got: unknown[] = []
    const take = ({ payload }: { payload: unknown }) => got.push(payload)
    const AsSet = defineEvent('as.set', z.set(z.string()))
    const AsMap = defineEvent('as.map', z.map(z.string(), z.number()))
    const AsPoint = defineEvent('as.point', z.instanceof(Point))
    const Tags = defineEvent(
      'tags',
      z.array(z.string()).transform((tags) => new Set(tags)),
    )
    const Counts = defineEvent(
      'counts',
      z.record(z.string(), z.number()).transform((counts) => new Map(Object.entries(counts))),
    )
    const subscriptions = [AsSet, AsMap, AsPoint, Tags, Counts].map((type) => b.subscribe(type, take))
    for (const { ready } of subscriptions) await ready
    await a.broadcast(AsSet, new Set(['x']))
    await a.broadcast(AsMap, new Map([['x', 1]]))
    await a.broadcast(AsPoint, new Point())
    await a.broadcast(Tags, ['x'])
    await a.broadcast(Counts, { x: 1 })
    await until(() => got.length === 2)
    expect(codesOf(reports)).to.deep.equal(Array(3).fill('LAHJA_INVALID_PAYLOAD'))
    expect(got).to.deep.equal([new Set(['x']), new Map([['x', 1]])])
  })

  it('refuses an async schema, and one that throws', async () => {
    const checkedLater = z.string().refine(async () => true)
    const Slow = defineEvent('slow', checkedLater)
    const broken: StandardSchema<string> = {
      '~standard': { version: 1, vendor: 'nobody', validate: throwing(new TypeError('broken schema')) },
    }
    const Broken = defineEvent('broken', broken)
    const a = await bus.start('a')
    a.subscribe('>', () => {})
    expect(await rejection(a.broadcast(Slow, 'x'))).to.be.instanceOf(InvalidPayload)
    const error = await rejection(a.broadcast(Broken, 'x'))
    expect(error).to.be.instanceOf(InvalidPayload)
    expect(error.cause).to.be.instanceOf(TypeError)
  })
})
