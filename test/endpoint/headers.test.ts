import { expect } from 'chai'
import { defineEvent, type Endpoint, type Event, type EventHeaders, NoSubscribers } from '../../src'
import { freshBus, until } from '../support/bus'
import { packedFrame, RawPeer } from '../support/raw-peer'

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tenant: 'Größe' }

const nothing = () => {}

describe('headers', () => {
  const bus = freshBus()

  it('arrive with an event at a peer and at its own endpoint, whatever the payload', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const got: Record<string, Event[]> = { sender: [], receiver: [] }
    for (const endpoint of [sender, receiver])
      await endpoint.subscribe('tick', (event) => void got[endpoint.name]?.push(event)).ready
    const payloads = [undefined, null, Buffer.from('bytes'), { id: 1 }, 'x'.repeat(100_000), 2n ** 70n]
    for (const payload of payloads) await sender.broadcast('tick', payload, { headers: TRACE })
    await sender.broadcast('tick', 'bare')
    await until(() => Object.values(got).every((events) => events.length === payloads.length + 1))
    for (const events of Object.values(got)) {
      expect(events.map(({ payload }) => payload)).to.deep.equal([...payloads, 'bare'])
      expect(events.map(({ headers }) => headers)).to.deep.equal([...payloads.map(() => TRACE), {}])
    }
  })

  it('are one frozen object for all events without, and frozen otherwise too', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const got: EventHeaders[] = []
    await receiver.subscribe('>', ({ headers }) => void got.push(headers)).ready
    for (const options of [undefined, {}, { headers: {} }, { headers: undefined }, { headers: TRACE }])
      await sender.broadcast('tick', 1, options)
    await until(() => got.length === 5)
    expect(new Set(got.slice(0, 4)).size).to.equal(1)
    expect(got.every(Object.isFrozen)).to.equal(true)
  })

  it('are those of the moment of the call', async () => {
    const { sender } = await bus.startAll('sender', 'other')
    const got: EventHeaders[] = []
    const Internal = defineEvent<number>('inner.tick', { boundary: 'internal' })
    for (const type of [Internal, 'tick']) await sender.subscribe(type, ({ headers }) => void got.push(headers)).ready
    const headers: Record<string, string> = { step: 'one' }
    const sent = [sender.broadcast(Internal, 1, { headers }), sender.broadcast('tick', 1, { headers })]
    headers.step = 'two'
    await Promise.all(sent)
    await until(() => got.length === 2)
    expect(got).to.deep.equal([{ step: 'one' }, { step: 'one' }])
  })

  for (const prefetch of [0, 'auto', Number.POSITIVE_INFINITY] as const) {
    it(`arrive at the member of a queue with prefetch ${prefetch}, also of the event that another member has given back`, async () => {
      const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
      const got: Event[] = []
      const queue = { queue: 'workers', prefetch }
      const stuck = one.subscribe('job', () => new Promise(nothing), queue)
      await stuck.ready
      for (const payload of [1, 2, 3, 4]) await sender.broadcastNowait('job', payload, { headers: TRACE })
      await two.subscribe('job', (event) => void got.push(event), queue).ready
      stuck.unsubscribe()
      await until(() => got.length === 3)
      expect(got.map(({ headers }) => headers)).to.deep.equal([TRACE, TRACE, TRACE])
    })
  }

  it('arrive with an event that waited for a queue, with one that is given again, and with its dead letter', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    worker.on('error', nothing)
    const Job = defineEvent<number>('job', {
      hold: 60_000,
      redeliver: 1,
      redeliverOnError: true,
      deadLetter: 'job.dead',
    })
    await sender.broadcast(Job, 1, { headers: TRACE })
    const got: Event[] = []
    await worker.subscribe('job.dead', (event) => void got.push(event)).ready
    const fail = (event: Event) => {
      got.push(event)
      throw new Error('no')
    }
    await worker.subscribe(Job, fail, { queue: 'workers', prefetch: 0 }).ready
    await until(() => got.length === 3)
    expect(got.map(({ type, redelivered, headers }) => [type, redelivered, headers])).to.deep.equal([
      ['job', undefined, TRACE],
      ['job', 1, TRACE],
      ['job.dead', undefined, TRACE],
    ])
  })

  it('are part of the event in the error that reports it as lost', async () => {
    const { sender } = await bus.startAll('sender', 'other')
    const errors: unknown[] = []
    sender.on('error', (error) => errors.push(error instanceof NoSubscribers && error.event?.headers))
    await sender.broadcast('job', 1, { headers: TRACE, waitForMember: 1 })
    await until(() => errors.length === 1)
    expect(errors).to.deep.equal([TRACE])
  })

  it('arrive with a request, at one responder and at all, whatever the payload', async () => {
    const { asker, one, two } = await bus.startAll('asker', 'one', 'two')
    for (const endpoint of [one, two])
      await endpoint.respond('echo', ({ payload, headers }) => ({ payload, headers })).ready
    for (const payload of [undefined, null, { id: 1 }]) {
      expect(await asker.request('echo', payload, { headers: TRACE })).to.deep.equal({ payload, headers: TRACE })
    }
    expect(await asker.request('echo')).to.deep.equal({ payload: undefined, headers: {} })
    const replies = []
    for await (const reply of asker.requestAll('echo', 1, { headers: TRACE })) replies.push(reply.payload)
    expect(replies).to.deep.equal([1, 2].map(() => ({ payload: 1, headers: TRACE })))
  })

  it('are none for a peer that sends none or an empty map, and what is behind them is passed over', async () => {
    const { sender } = await bus.startAll('sender', 'other')
    const peer = await RawPeer.dial(sender).introduce(sender)
    const got: EventHeaders[] = []
    await sender.subscribe('tick', ({ headers }) => void got.push(headers)).ready
    const bare = [5, 'tick', 1]
    const events = [bare, [...bare, {}], [...bare, { a: 'b' }], [...bare, { a: 'b' }, 'more']]
    peer.sayBytes(Buffer.concat(events.map(packedFrame)))
    await until(() => got.length === 4)
    expect(got).to.deep.equal([{}, {}, { a: 'b' }, { a: 'b' }])
  })

  const refused: Readonly<Record<string, unknown>> = {
    'a text': 'a',
    'an array': ['a'],
    'a map': new Map([['a', 'b']]),
    'a name in capitals': { Tenant: 'a' },
    'an empty name': { '': 'a' },
    'a name of 65 characters': { ['a'.repeat(65)]: 'a' },
    'a number': { attempt: 3 },
    'undefined as a text': { tenant: undefined },
    '4,097 bytes': { a: 'é'.repeat(2048) },
    'a revoked proxy': revoked(),
    'a getter that throws': {
      get a() {
        throw new Error('no')
      },
    },
  }
  for (const [what, headers] of Object.entries(refused)) {
    it(`are refused if they are or hold ${what}, and nothing is sent`, async () => {
      const { sender, receiver } = await bus.startAll('sender', 'receiver')
      const got: unknown[] = []
      await receiver.subscribe('tick', ({ payload }) => void got.push(payload)).ready
      await receiver.respond('ask', ({ payload }) => void got.push(payload)).ready
      const options = Object({ headers })
      const calls: readonly ((endpoint: Endpoint) => unknown)[] = [
        (endpoint) => endpoint.broadcast('tick', 1, options),
        (endpoint) => endpoint.broadcast('nobody.listens', 1, options),
        (endpoint) => endpoint.request('ask', 1, options),
        (endpoint) => endpoint.broadcastNowait('tick', 1, options),
        (endpoint) => endpoint.requestAll('ask', 1, options),
      ]
      for (const call of calls) {
        const error = await codeThrown(async () => call(sender))
        expect(error).to.equal('LAHJA_INVALID_ARGUMENT')
      }
      await sender.broadcast('tick', 'last')
      await until(() => got.length > 0)
      expect(got).to.deep.equal(['last'])
    })
  }

  it('may have 4,096 bytes', async () => {
    const { sender, receiver } = await bus.startAll('sender', 'receiver')
    const got: EventHeaders[] = []
    await receiver.subscribe('tick', ({ headers }) => void got.push(headers)).ready
    const headers = { a: 'x'.repeat(4095) }
    await sender.broadcast('tick', 1, { headers })
    await until(() => got.length === 1)
    expect(got).to.deep.equal([headers])
  })
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

async function codeThrown(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}
