import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import type { Endpoint, LahjaError } from '../../src'
import { freshBus, until } from '../support/bus'
import { encoded, frameAround } from '../support/frame-bytes'
import { helloFields, packedFrame, rawPeers } from '../support/raw-peer'

const HELLO = helloFields()

describe('an incoming connection', () => {
  const bus = freshBus()
  const raws = rawPeers()
  let endpoint: Endpoint
  let witness: Endpoint
  let errors: LahjaError[] = []

  async function begin(limits = {}): Promise<void> {
    errors = []
    endpoint = await bus.start('host', { limits })
    endpoint.on('error', (error) => errors.push(error))
    witness = await bus.start('witness')
    await endpoint.waitUntilConnectedTo('witness')
  }

  const connect = () => raws.dial(endpoint)

  /** A raw peer with a finished handshake. */
  const connectPeer = () => connect().introduce(endpoint)

  /** The other links are unaffected. */
  async function checkOthers(): Promise<void> {
    const subscription = witness.subscribe('x', () => {})
    await subscription.ready
    const event = witness.waitFor('x')
    expect(await endpoint.broadcast('x', 'still here')).to.be.at.least(1)
    expect((await event).payload).to.equal('still here')
    expect(endpoint.isConnectedTo('witness')).to.equal(true)
  }

  /** Bytes sent before the handshake, and the reason of the goodbye. */
  const BEFORE: readonly [what: string, bytes: Buffer, reason: string][] = [
    ['a length of 4 GB', Buffer.from('ffffffff00', 'hex'), 'frame-too-large'],
    ['a frame over 4 KiB', frameAround(Buffer.alloc(4097)), 'frame-too-large'],
    ['an empty frame', Buffer.from('00000000', 'hex'), 'frame-empty'],
    ['a frame that is not msgpack', frameAround(Buffer.from([0xc1])), 'malformed'],
    ['a body with bytes after its message', frameAround(Buffer.from('9107ff', 'hex')), 'malformed'],
    ['a body that is cut short', frameAround(Buffer.from('93', 'hex')), 'malformed'],
    ['a body that is no message', packedFrame('hello'), 'malformed'],
    ['an unknown kind of message', packedFrame([99]), 'malformed'],
    ['an event before the hello', encoded({ kind: 'event', type: 'x', payload: 1 }), 'unexpected-message'],
    ['ready before the hello', encoded({ kind: 'ready' }), 'unexpected-message'],
    ['a hello without a name', packedFrame([0, { versions: [1, 1], id: HELLO.id, groups: [], pid: 1 }]), 'malformed'],
    ['an invalid name', encoded({ ...HELLO, name: '../x' }), 'malformed'],
    ['an invalid id', encoded({ ...HELLO, id: 'A' }), 'malformed'],
    ['a frame limit below the minimum', encoded({ ...HELLO, frameLimit: 10 }), 'malformed'],
    ['only newer versions', encoded({ ...HELLO, versions: [2, 3] }), 'version-mismatch'],
    ['only older versions', encoded({ ...HELLO, versions: [0, 0] }), 'version-mismatch'],
  ]

  for (const [what, bytes, reason] of BEFORE) {
    it(`that sends ${what} is closed with '${reason}', reported, and affects no other link`, async () => {
      await begin()
      const raw = connect()
      raw.sayBytes(bytes)
      await until(() => raw.isClosed)
      expect(raw.goodbye).to.equal(reason)
      expect(errors.map((error) => [error.code, Reflect.get(error, 'reason')])).to.deep.equal([
        ['LAHJA_PROTOCOL_VIOLATION', reason],
      ])
      await checkOthers()
    })
  }

  it('is reported once a second if there are many that break the protocol in the same way, with their number', async () => {
    await begin()
    const strangers = Array.from({ length: 200 }, () => connect())
    for (const stranger of strangers) stranger.sayBytes(Buffer.from('00000000', 'hex'))
    await until(() => strangers.every(({ isClosed }) => isClosed) && errors.length === 2)
    expect(errors.map(({ message }) => message.replace(/\d+ more/, 'n more'))).to.deep.equal([
      errors[0]?.message,
      `${errors[0]?.message} (and n more like it within a second)`,
    ])
  })

  it('that stays silent is closed at the handshake deadline', async () => {
    await begin({ handshakeTimeout: 50 })
    const raw = connect()
    await until(() => raw.isClosed)
    expect(raw.goodbye).to.equal('handshake-timeout')
    await checkOthers()
  })

  it('that stays silent after its hello is closed at the handshake deadline', async () => {
    await begin({ handshakeTimeout: 50 })
    const raw = connect()
    raw.say(HELLO)
    await until(() => raw.isClosed)
    expect(raw.heard.map(({ kind }) => kind)).to.include.members(['hello', 'ready'])
    expect(raw.goodbye).to.equal('handshake-timeout')
    expect(endpoint.isConnectedTo('raw')).to.equal(false)
  })

  it('that is closed before its hello leaves no trace', async () => {
    await begin()
    const raw = connect()
    raw.sayBytes(Buffer.from('00', 'hex'))
    raw.end()
    await until(() => raw.isClosed)
    await checkOthers()
  })

  it('over the limit of pending handshakes replaces the oldest one', async () => {
    await begin({ pendingHandshakes: 4 })
    const idle = [1, 2, 3, 4].map(() => connect())
    const peer = await connectPeer()
    await until(() => idle.some(({ isClosed }) => isClosed))
    expect(idle.map(({ goodbye }) => goodbye)).to.include('too-many-handshakes')
    expect(peer.isClosed).to.equal(false)
    await checkOthers()
  })

  it('may send unknown fields and elements, which are ignored', async () => {
    await begin()
    const raw = connect()
    const { kind, ...fields } = HELLO
    raw.sayBytes(packedFrame([0, { ...fields, versions: [1, 9], colour: 'red' }, 'more']))
    raw.sayBytes(packedFrame([1, 'more']))
    await endpoint.waitUntilConnectedTo('raw')
    expect(kind).to.equal('hello')
  })

  /** Bytes sent after the handshake, and the reason of the goodbye. */
  const AFTER: readonly [what: string, bytes: Buffer, reason: string][] = [
    ['a second hello', encoded(HELLO), 'unexpected-message'],
    ['a second ready', encoded({ kind: 'ready' }), 'unexpected-message'],
    ['a frame over the limit', Buffer.from('00100001', 'hex'), 'frame-too-large'],
    ['an event whose payload is not msgpack', frameAround(Buffer.from('9305a178d9ff61', 'hex')), 'malformed'],
    ['an event whose binary is cut short', frameAround(Buffer.from('9305a178c40500', 'hex')), 'malformed'],
    ['an event with bytes after it', frameAround(Buffer.from('9305a17801ff', 'hex')), 'malformed'],
    ['an event whose type is a number', packedFrame([5, 5, 5]), 'malformed'],
    ['a subscription to a number', packedFrame([2, 1, [{ type: 5 }]]), 'malformed'],
    ['a negative sequence', packedFrame([2, -1, []]), 'malformed'],
    ['arrays nested without end', frameAround(Buffer.alloc(200_000, 0x91)), 'malformed'],
  ]

  for (const [what, bytes, reason] of AFTER) {
    it(`that is up and sends ${what} is lost with '${reason}', and affects no other link`, async () => {
      await begin()
      const lost: unknown[] = []
      endpoint.on('lost', (peer, { cause }) => lost.push([peer.name, Reflect.get(cause, 'reason')]))
      endpoint.subscribe('x', () => {})
      const peer = await connectPeer()
      peer.sayBytes(bytes)
      await until(() => peer.isClosed)
      expect(peer.goodbye).to.equal(reason)
      expect(lost).to.deep.equal([['raw', reason]])
      expect(errors.map((error) => Reflect.get(error, 'reason'))).to.deep.equal([reason])
      await checkOthers()
    })
  }

  it('that ends inside a frame delivers nothing of that frame (G1)', async () => {
    await begin()
    const received: unknown[] = []
    endpoint.subscribe('x', ({ payload }) => received.push(payload))
    const lost: unknown[] = []
    endpoint.on('lost', (_, { cause }) => lost.push(cause.message.replace(/: .*/, '')))
    const peer = await connectPeer()
    const bytes = encoded({ kind: 'event', type: 'x', payload: 'whole' })
    peer.sayBytes(Buffer.concat([bytes, bytes.subarray(0, bytes.length - 1)]))
    peer.end()
    await until(() => lost.length === 1)
    expect(received).to.deep.equal(['whole'])
    expect(lost).to.deep.equal(['the peer closed the connection within a message, as a process that exits does'])
  })

  it('may send events in any form of msgpack, byte by byte', async () => {
    await begin()
    const received: unknown[] = []
    endpoint.subscribe('x', ({ payload, origin }) => received.push([payload, origin]))
    const peer = await connectPeer()
    for (const byte of frameAround(Buffer.from('dc0003cc05d90178a3796573', 'hex'))) peer.sayBytes(Buffer.of(byte))
    await until(() => received.length === 1)
    expect(received).to.deep.equal([['yes', 'raw']])
  })

  it('that is up gets its pings answered and its subscriptions acknowledged', async () => {
    await begin()
    const peer = await connectPeer()
    peer.say({ kind: 'ping' }, { kind: 'subscribe', sequence: 7, interests: [{ type: 'x' }] })
    await until(() => peer.heard.length >= 4)
    expect(peer.heard.slice(-2)).to.deep.equal([
      { kind: 'pong' },
      { kind: 'acknowledge', sequence: 7, isComplete: undefined },
    ])
    expect(await endpoint.broadcast('x', 1)).to.equal(1)
  })

  it('that falls silent is unresponsive but not lost, and recovers when it sends anything (G13)', async () => {
    await begin({ pingInterval: 5 })
    const changes: string[] = []
    endpoint.on('unresponsive', ({ name }) => changes.push(`${name} unresponsive`))
    endpoint.on('responsive', ({ name }) => changes.push(`${name} responsive`))
    endpoint.on('recovered', ({ name }) => changes.push(`${name} recovered`))
    endpoint.on('lost', ({ name }) => changes.push(`${name} lost`))
    const peer = await connectPeer()
    await until(() => changes.length === 1)
    expect(endpoint.peers.find(({ name }) => name === 'raw')?.state).to.equal('unresponsive')
    expect(peer.heard.at(-1)).to.deep.equal({ kind: 'ping' })
    peer.say({ kind: 'pong' })
    await until(() => changes.length >= 3)
    expect(changes.slice(0, 3)).to.deep.equal(['raw unresponsive', 'raw responsive', 'raw recovered'])
  })

  it('of a peer that is linked already is refused as a duplicate', async () => {
    await begin()
    const first = await connectPeer()
    const second = connect()
    second.say(HELLO)
    await until(() => second.isClosed)
    expect(second.goodbye).to.equal('duplicate')
    expect(first.isClosed).to.equal(false)
    expect(endpoint.peers).to.have.length(2)
  })

  it('with the name of the endpoint itself is refused as name-in-use', async () => {
    await begin()
    const raw = connect()
    raw.say({ ...HELLO, name: 'host' })
    await until(() => raw.isClosed)
    expect(raw.goodbye).to.equal('name-in-use')
  })

  it('whose peer says closing after it is up here has left', async () => {
    await begin()
    const changes: string[] = []
    endpoint.on('lost', () => changes.push('lost'))
    endpoint.on('left', () => changes.push('left'))
    const peer = await connectPeer()
    peer.say({ kind: 'goodbye', reason: 'closing', text: '' })
    await until(() => changes.length === 1)
    expect(changes).to.deep.equal(['left'])
  })

  it('gets a goodbye that fits into a handshake frame, however long the error', async () => {
    await begin()
    const raw = connect()
    raw.say({ ...HELLO, groups: Array.from({ length: 1900 }, () => '!') })
    await until(() => raw.isClosed)
    const [goodbye] = raw.heard
    expect(goodbye).to.include({ kind: 'goodbye', reason: 'malformed' })
    expect(goodbye?.kind === 'goodbye' && goodbye.text.length).to.be.at.most(1000)
  })

  it('may send every integer as 64 bits', async () => {
    await begin()
    const peer = await connectPeer()
    peer.sayBytes(packedFrame([2n, 7n, [{ type: 'x' }]]))
    await until(() => peer.heard.some(({ kind }) => kind === 'acknowledge'))
    expect(await endpoint.broadcast('x', 1)).to.equal(1)
  })

  it('that says goodbye for an unknown reason is lost, not left', async () => {
    await begin()
    const changes: string[] = []
    endpoint.on('lost', (_, { cause }) => changes.push(`lost ${cause.code}`))
    endpoint.on('left', () => changes.push('left'))
    const peer = await connectPeer()
    peer.say({ kind: 'goodbye', reason: 'tired', text: 'of it all' })
    await until(() => changes.length === 1)
    expect(changes).to.deep.equal(['lost LAHJA_LINK_REFUSED'])
  })

  it('is closed with the endpoint, whether its handshake is finished or not', async () => {
    await begin()
    const peer = await connectPeer()
    const idle = connect()
    await Promise.all([endpoint.close(), witness.close()])
    await until(() => peer.isClosed && idle.isClosed)
    expect(peer.goodbye).to.equal('left')
    expect(readdirSync(bus.directory)).to.deep.equal([])
  })
})
