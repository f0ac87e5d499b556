import { expect } from 'chai'
import { InvalidArgument, ProtocolViolation } from '../../src'
import { InterestExchange } from '../../src/mesh/interest-exchange'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { PREFIX_BYTES } from '../../src/wire/frame'
import { freshBus, next, until } from '../support/bus'
import { heapUsed } from '../support/garbage'
import { numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'
import { stepsDuring } from '../support/steps'

const ignore = () => {}

describe('limits.interests', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('bounds the subscriptions and responders of an endpoint, and a refused one leaves nothing behind (G7)', async () => {
    const endpoint = await bus.start('a', { limits: { interests: 3 } })
    const [first] = ['one', 'two'].map((type) => endpoint.subscribe(type, ignore))
    endpoint.respond('three', ignore)
    endpoint.subscribe('one', ignore) // The same once more costs peers nothing.
    const advice = 'at most 3 of an endpoint (limits.interests)'
    for (const add of [
      () => endpoint.subscribe('four', ignore),
      () => endpoint.stream('four'),
      () => endpoint.respond('four', ignore),
      () => endpoint.subscribe('one', ignore, { queue: 'q' }),
    ]) {
      expect(add).to.throw(InvalidArgument, advice)
    }
    expect([...endpoint.subscribedEvents]).to.have.members(['one', 'two'])
    endpoint.subscribe('two', ignore).unsubscribe()
    first?.unsubscribe()
    expect(() => endpoint.subscribe('four', ignore)).to.throw(advice) // The second subscription to it is still open.
  })

  it('disconnects a peer that wants more, by number and by memory, and tells it why (G7)', async () => {
    const deep = (n: number) => `${n}.${'*.'.repeat(100)}z`
    const flat = (n: number) => `t${n}`
    for (const type of [flat, deep]) {
      const endpoint = await bus.start(`of-${type.name}`, { limits: { interests: 100 } })
      const peer = await connectPeer(endpoint, { name: `raw-${type.name}` })
      const lost = next(endpoint, 'error')
      peer.say({
        kind: 'subscribe',
        sequence: 1,
        interests: Array.from({ length: 101 }, (_, n) => ({ type: type(n) })),
      })
      expect(await lost)
        .to.be.instanceOf(ProtocolViolation)
        .and.include({ reason: 'too-many-interests' })
      await peer.closed()
      expect(peer.goodbye).to.equal('too-many-interests')
    }
  })

  it('counts what a peer gives up as free again', async () => {
    const endpoint = await bus.start('a', { limits: { interests: 2 } })
    const peer = await connectPeer(endpoint)
    for (let round = 0; round < 5; round++) {
      await peer.want({ type: `a${round}` }, { type: 'q', queue: 'work' })
      peer.waive({ type: `a${round}` }, { type: 'q', queue: 'work' })
    }
    await peer.want({ type: 'last' })
    expect(peer.isClosed).to.equal(false)
  })

  it('refuses a from of more names than fit into one message', async () => {
    const endpoint = await bus.start('a')
    const from = Array.from({ length: 70 }, (_, n) => `${n}`.padStart(64, 'x'))
    expect(() => endpoint.subscribe('a', ignore, { from })).to.throw(
      InvalidArgument,
      'from: expected at most 2048 bytes',
    )
    const peer = await connectPeer(endpoint)
    peer.say({ kind: 'subscribe', sequence: 1, interests: [{ type: 'a', from }] })
    await peer.closed()
    expect(peer.goodbye).to.equal('malformed')
  })

  it('takes little memory for names of many tokens (G7)', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const before = heapUsed()
    const count = 3_000
    for (let n = 0; n < count; n++) b.subscribe(`${n}.${'t.'.repeat(110)}z`, ignore)
    await until(() => a.isAnyEndpointSubscribedTo(`${count - 1}.${'t.'.repeat(110)}z`))
    // Both ends are in this process, and each subscription has a consumer.
    expect((heapUsed() - before) / count).to.be.lessThan(6_000)
  })

  it('takes no more memory than it allows for long lists of short names (G7)', () => {
    const limit = 2_000
    const exchange = new InterestExchange(ignore, () => DEFAULT_LIMITS.frameBytes, limit)
    const senders = Array.from({ length: 900 }, (_, n) => n.toString(36).padStart(2, '0'))
    const before = heapUsed()
    expect(() => {
      for (let n = 0; n < limit; n++) {
        const frame = encodeMessage({ kind: 'subscribe', sequence: n, interests: [{ type: `t${n}`, from: senders }] })
        const message = decodeMessage(frame.bytes, frame.start + PREFIX_BYTES, frame.end)
        if (message.kind === 'subscribe') exchange.apply(message)
      }
    }).to.throw(ProtocolViolation, 'too-many-interests')
    expect(heapUsed() - before).to.be.below(limit * 1024 * 1.1)
    expect([...exchange.theirs]).not.to.have.length(0)
  })

  it('cost as much to change when there are thousands as when there are few (G7)', async () => {
    const endpoint = await bus.start('a')
    const peer = await connectPeer(endpoint)
    let changes = 0
    endpoint.on('subscriptionsChanged', () => changes++)
    const change = (type: string) =>
      stepsDuring(async () => {
        endpoint.subscribe(`own.${type}`, ignore).unsubscribe()
        await peer.want({ type })
        peer.waive({ type })
        const before = changes
        await until(() => changes > before)
      })
    const costs = [await change('few')]
    for (let sequence = 0; sequence < 10; sequence++) {
      await peer.want(...numbers(500).map((n) => ({ type: `t${sequence}.${n}` })))
      for (const n of numbers(500)) endpoint.subscribe(`t${sequence}.${n}`, ignore)
    }
    await endpoint.subscribe('last', ignore).ready
    costs.push(await change('many'))
    expect(endpoint.peers[0]?.subscriptions).to.have.length(5000)
    expect(Math.max(...costs)).to.be.below(500)
  })

  it('lists the types of a peer as of the first time that they are read', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const changed: unknown[] = []
    a.on('subscriptionsChanged', (peer) => changed.push(peer))
    await b.subscribe('one', ignore).ready
    const [peer] = a.peers
    expect(peer?.subscriptions).to.deep.equal(['one'])
    await b.subscribe('two', ignore).ready
    expect(peer?.subscriptions).to.deep.equal(['one'])
    expect(changed).to.have.length(2)
    expect(JSON.parse(JSON.stringify(changed[1]))).to.deep.include({ subscriptions: ['one', 'two'], responds: [] })
  })
})

describe('Subscription.ready', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('keeps nothing of a call that has resolved, while a peer acknowledges nothing (G7)', async () => {
    const endpoint = await bus.start('a', { limits: { patience: 5 } })
    const peer = await connectPeer(endpoint)
    peer.acknowledges = false
    endpoint.subscribe('first', ignore)
    const resolveAll = async () => {
      const subscriptions = numbers(400).map((n) => endpoint.subscribe(`t${n}`, ignore))
      const missing = await Promise.all(subscriptions.map(({ ready }) => ready))
      expect(missing.flat()).to.deep.equal(numbers(400).map(() => 'raw'))
      for (const subscription of subscriptions) subscription.unsubscribe()
    }
    await resolveAll()
    const before = heapUsed()
    for (let round = 0; round < 10; round++) await resolveAll()
    expect(heapUsed() - before).to.be.below(2 * 1024 * 1024)
  })
})
