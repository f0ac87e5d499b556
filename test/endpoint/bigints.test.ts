import { expect } from 'chai'
import { type Endpoint, RemoteError, UnserializablePayload } from '../../src'
import { freshBus, until } from '../support/bus'
import { DEALT } from '../support/members'
import { payloadsAt } from '../support/payloads'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'

const LARGE = -(2n ** 200n)
const WITHIN_64_BITS = [2n ** 64n - 1n, -(2n ** 63n)]

describe('An integer over 64 bits', () => {
  const bus = freshBus()
  const { connect } = rawPeers()
  let a: Endpoint
  let b: Endpoint

  beforeEach(async () => {
    ;({ a, b } = await bus.startAll('a', 'b'))
  })

  it('travels in events, to others and to oneself', async () => {
    const received = [await payloadsAt(a, 'tick'), await payloadsAt(b, 'tick')]
    for (const payload of [LARGE, [1, { deep: LARGE }], 'end']) await a.broadcast('tick', payload)
    await until(() => received.every(({ length }) => length === 3))
    for (const payloads of received) expect(payloads).to.deep.equal([LARGE, [1, { deep: LARGE }], 'end'])
  })

  it('travels in events of queues, also when they are returned and given to another member', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const [early, late] = [[] as unknown[], [] as unknown[]]
    const hold = ({ payload }: { readonly payload: unknown }) => {
      early.push(payload)
      return held
    }
    const first = b.subscribe('job', hold, DEALT)
    await first.ready
    for (const number of [1n, 2n, 3n]) await a.broadcast('job', LARGE + number)
    await until(() => first.pending === 3)
    await a.subscribe('job', ({ payload }) => late.push(payload), { queue: 'workers' }).ready
    first.unsubscribe()
    await until(() => late.length === 2)
    release()
    expect(early).to.deep.equal([LARGE + 1n])
    expect(late).to.deep.equal([LARGE + 2n, LARGE + 3n])
  })

  it('travels in requests and responses, and in the causes of errors', async () => {
    await b.respond('next', ({ payload }) => [BigInt(String(payload)) + 1n, new Error('no', { cause: LARGE })]).ready
    const error = { name: 'Error', message: 'no', cause: LARGE }
    expect(await a.request('next', LARGE)).to.deep.equal([LARGE + 1n, error])
  })

  it('travels to peers with small frames and windows, in its place', async () => {
    const small = await bus.start('small', { limits: { frameBytes: 4096, windowBytes: 4096 } })
    await small.waitUntilConnectedTo('a')
    const received = await payloadsAt(small, 'tick')
    const sent = Array.from({ length: 500 }, (_, number) => (number % 2 === 0 ? number : LARGE * BigInt(number)))
    for (const payload of sent) await a.broadcast('tick', payload)
    await until(() => received.length === sent.length)
    expect(received).to.deep.equal(sent)
  })

  describe('for a peer that does not take it', () => {
    it('is refused with its path and the name of the peer, if there is no other receiver', async () => {
      const old = await connect(a, { name: 'old' })
      await old.want({ type: 'tick' }, { type: 'job', queue: 'workers' })
      for (const type of ['tick', 'job']) {
        const error = await rejection(a.broadcast(type, { list: [1, LARGE] }))
        expect(error).to.be.instanceOf(UnserializablePayload)
        const text = `event ${type}: the payload can't be sent: payload.list[1] is ${LARGE}n, and old takes no integers over 64 bits`
        expect(error).to.have.property('message', text)
      }
      expect(await a.broadcast('tick', WITHIN_64_BITS)).to.equal(1)
      await until(() => old.heardOf('event').length === 1)
      expect(old.heardOf('event')[0]?.payload).to.deep.equal(WITHIN_64_BITS)
    })

    it('is a gap for that peer, reported once, and arrives at all others', async () => {
      const reports = reportsOf(a)
      const old = await connect(a, { name: 'old' })
      await old.want({ type: 'tick' })
      const received = await payloadsAt(b, 'tick')
      const counts: number[] = []
      for (const payload of [1, { at: LARGE }, LARGE, 2]) counts.push(await a.broadcast('tick', payload))
      await until(() => received.length === 4 && old.heardOf('event').length === 2)
      expect(counts).to.deep.equal([2, 1, 1, 2])
      const heard = old.heard.filter(({ kind }) => kind === 'event' || kind === 'gap')
      expect(heard.map((message) => (message.kind === 'gap' ? message.count : 0))).to.deep.equal([0, 2, 0])
      expect(codesOf(reports)).to.deep.equal(['LAHJA_UNSERIALIZABLE_PAYLOAD'])
      expect(reports[0]?.message).to.contain('payload.at is').and.contain('old takes no integers')
      await a.broadcast('tick', Buffer.alloc(2 ** 19))
      expect(await a.broadcast('tick', LARGE)).to.equal(1)
      expect(reports).to.have.length(1)
    })

    it('in a queue goes to the members that take it', async () => {
      const old = await connect(a, { name: 'old' })
      await old.want({ type: 'job', queue: 'workers' })
      const received: unknown[] = []
      await b.subscribe('job', ({ payload }) => received.push(payload), { queue: 'workers' }).ready
      for (let number = 0; number < 10; number++) await a.broadcast('job', number % 2 === 0 ? number : LARGE)
      await until(() => received.length + old.heardOf('assign').length === 10)
      expect(received.filter((payload) => payload === LARGE)).to.have.length(5)
      expect(old.heardOf('assign').length).to.be.at.least(1)
    })

    it('that returns an event is given to a member that takes it, or reported', async () => {
      const old = await connect(a, { name: 'old' })
      await old.want({ type: 'job', queue: 'workers' })
      const reports = reportsOf(a)
      expect(await a.broadcast('job', 1)).to.equal(1)
      await old.hears('assign')
      old.waive({ type: 'job', queue: 'workers' })
      old.say({ kind: 'return', queue: 'workers', type: 'job', isFixed: false, payload: LARGE })
      await until(() => reports.length === 1)
      expect(reports[0]).to.have.nested.property('event.payload', LARGE)
    })

    it('in a request goes to another responder, or is refused', async () => {
      const old = await connect(a, { name: 'old' })
      await old.want({ type: 'ask', responds: true })
      const error = await rejection(a.request('ask', { n: LARGE }))
      expect(error).to.be.instanceOf(UnserializablePayload)
      expect(error).to.have.property('message').that.contains('request ask: ').and.contains('payload.n is')
      expect(error).to.have.property('message').that.contains('and old takes no integers over 64 bits')
      await b.respond('ask', () => 'b').ready
      for (let number = 0; number < 5; number++) expect(await a.request('ask', LARGE)).to.equal('b')
      expect(old.heardOf('request')).to.have.length(0)
    })

    it('in a response is a failure for the asker, and an error here', async () => {
      const reports = reportsOf(a)
      const old = await connect(a, { name: 'old' })
      await a.respond('ask', () => ({ total: LARGE })).ready
      old.say({ kind: 'request', id: 1, type: 'ask', payload: 1 })
      const { error } = await old.hears('failure')
      expect(error).to.include({ name: 'UnserializablePayload', code: 'LAHJA_UNSERIALIZABLE_PAYLOAD' })
      expect(error.message).to.contain('payload.total is').and.contain('old takes no integers')
      expect(codesOf(reports)).to.deep.equal(['LAHJA_UNSERIALIZABLE_PAYLOAD'])
    })

    it('is not given to that peer with the queue events of a member that is lost', async () => {
      const worker = await connect(a, { name: 'worker', bigints: true, window: 1, id: '000000000zzzy' })
      await worker.want({ type: 'job', queue: 'workers' })
      const old = await connect(a, { name: 'old' })
      for (const payload of [0, LARGE, 1]) await a.broadcast('job', payload)
      await worker.hears('assign')
      await old.want({ type: 'job', queue: 'workers' })
      worker.destroy()
      await until(() => old.heardOf('assign').length === 1)
      expect(old.heardOf('assign')[0]?.payload).to.equal(1)
    })
  })

  it('over 4,096 bytes is refused with its path, whoever listens', async () => {
    await b.respond('ask', () => 2n ** 32_767n).ready
    for (const call of [a.broadcast('tick', { n: 2n ** 32_767n }), a.request('ask', { n: 2n ** 32_767n })]) {
      const error = await rejection(call)
      expect(error).to.be.instanceOf(UnserializablePayload)
      expect(error).to.have.property('message').that.contains('payload.n is a bigint of 4097 bytes')
    }
    expect(await rejection(a.request('ask', 1))).to.be.instanceOf(RemoteError)
  })
})
