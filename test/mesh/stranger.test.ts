import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { Packr } from 'msgpackr'
import type { Endpoint, LahjaError } from '../../src'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Hello, Message } from '../../src/wire/message'
import { freshBus, until } from '../support/bus'

/** A peer made of a bare socket, which says whatever bytes it is told to. */
class Stranger {
  readonly heard: Message[] = []
  readonly #socket: Socket
  isClosed = false

  constructor(endpoint: Endpoint) {
    this.#socket = connect(join(endpoint.directory, `${endpoint.name}~${endpoint.id}.sock`))
    const reader = new FrameReader(2 ** 20, (bytes, start, end) => {
      this.heard.push(decodeMessage(bytes, start, end))
    })
    this.#socket.on('data', (chunk) => reader.push(chunk))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.isClosed = true
    })
  }

  say(...messages: Message[]): void {
    for (const message of messages) this.send(encodeMessage(message).bytes)
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The reason of the goodbye it got. */
  get goodbye(): string | undefined {
    const last = this.heard.at(-1)
    return last?.kind === 'goodbye' ? last.reason : undefined
  }
}

const HELLO: Hello = {
  kind: 'hello',
  versions: [1, 1],
  name: 'stranger',
  id: '000000000zzzz',
  groups: [],
  pid: 1,
  frameLimit: 2 ** 20,
  window: 2 ** 20,
  requestLimit: 1024,
}

const frame = (body: Buffer) => {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(body.length)
  return Buffer.concat([prefix, body])
}

const packed = (value: unknown) => frame(new Packr({ useRecords: false }).pack(value))

describe('a stranger', () => {
  const bus = freshBus()
  const strangers: Stranger[] = []
  let endpoint: Endpoint
  let witness: Endpoint
  let errors: LahjaError[] = []

  afterEach(() => {
    for (const stranger of strangers.splice(0)) stranger.destroy()
  })

  async function begin(limits = {}): Promise<void> {
    errors = []
    endpoint = await bus.start('host', { limits })
    endpoint.on('error', (error) => errors.push(error))
    witness = await bus.start('witness')
    await endpoint.waitUntilConnectedTo('witness')
  }

  function connectStranger(): Stranger {
    const stranger = new Stranger(endpoint)
    strangers.push(stranger)
    return stranger
  }

  /** One whose handshake has succeeded. */
  async function connectPeer(hello: Partial<Hello> = {}): Promise<Stranger> {
    const stranger = connectStranger()
    stranger.say({ ...HELLO, ...hello }, { kind: 'ready' })
    await endpoint.waitUntilConnectedTo('stranger')
    return stranger
  }

  /** Whatever happened to the stranger, everyone else goes on. */
  async function checkOthers(): Promise<void> {
    const subscription = witness.subscribe('x', () => {})
    await subscription.ready
    const event = witness.waitFor('x')
    expect(await endpoint.broadcast('x', 'still here')).to.be.at.least(1)
    expect((await event).payload).to.equal('still here')
    expect(endpoint.isConnectedTo('witness')).to.equal(true)
  }

  /** What strangers may try before any handshake, and the name of the reason for which they are sent away. */
  const BEFORE: readonly [what: string, bytes: Buffer, reason: string][] = [
    ['a length of 4 GB', Buffer.from('ffffffff00', 'hex'), 'frame-too-large'],
    ['a frame over 4 KiB', frame(Buffer.alloc(4097)), 'frame-too-large'],
    ['an empty frame', Buffer.from('00000000', 'hex'), 'frame-empty'],
    ['a frame that is not msgpack', frame(Buffer.from([0xc1])), 'malformed'],
    ['a body that goes on behind its message', frame(Buffer.from('9107ff', 'hex')), 'malformed'],
    ['a body that is cut short', frame(Buffer.from('93', 'hex')), 'malformed'],
    ['something that is no message', packed('hello'), 'malformed'],
    ['a kind that does not exist', packed([99]), 'malformed'],
    ['an event before the hello', encodeMessage({ kind: 'event', type: 'x', payload: 1 }).bytes, 'unexpected-message'],
    ['ready before the hello', encodeMessage({ kind: 'ready' }).bytes, 'unexpected-message'],
    ['a hello without a name', packed([0, { versions: [1, 1], id: HELLO.id, groups: [], pid: 1 }]), 'malformed'],
    ['a name that is none', encodeMessage({ ...HELLO, name: '../x' }).bytes, 'malformed'],
    ['an id that is none', encodeMessage({ ...HELLO, id: 'A' }).bytes, 'malformed'],
    ['a frame limit under the least', encodeMessage({ ...HELLO, frameLimit: 10 }).bytes, 'malformed'],
    ['only newer versions', encodeMessage({ ...HELLO, versions: [2, 3] }).bytes, 'version-mismatch'],
    ['only older versions', encodeMessage({ ...HELLO, versions: [0, 0] }).bytes, 'version-mismatch'],
  ]

  for (const [what, bytes, reason] of BEFORE) {
    it(`that sends ${what} is sent away with '${reason}', reported, and disturbs nobody`, async () => {
      await begin()
      const stranger = connectStranger()
      stranger.send(bytes)
      await until(() => stranger.isClosed)
      expect(stranger.goodbye).to.equal(reason)
      expect(errors.map((error) => [error.code, Reflect.get(error, 'reason')])).to.deep.equal([
        ['LAHJA_PROTOCOL_VIOLATION', reason],
      ])
      await checkOthers()
    })
  }

  it('that says nothing is sent away at the handshake deadline', async () => {
    await begin({ handshakeTimeout: 50 })
    const stranger = connectStranger()
    await until(() => stranger.isClosed)
    expect(stranger.goodbye).to.equal('handshake-timeout')
    await checkOthers()
  })

  it('that says hello and then nothing is sent away at the handshake deadline', async () => {
    await begin({ handshakeTimeout: 50 })
    const stranger = connectStranger()
    stranger.say(HELLO)
    await until(() => stranger.isClosed)
    expect(stranger.heard.map(({ kind }) => kind)).to.include.members(['hello', 'ready'])
    expect(stranger.goodbye).to.equal('handshake-timeout')
    expect(endpoint.isConnectedTo('stranger')).to.equal(false)
  })

  it('that hangs up before its hello is forgotten without a word', async () => {
    await begin()
    const stranger = connectStranger()
    stranger.send(Buffer.from('00', 'hex'))
    stranger.end()
    await until(() => stranger.isClosed)
    await checkOthers()
  })

  it('cannot keep others out by opening connections: the oldest has to go', async () => {
    await begin({ pendingHandshakes: 4 })
    const idle = [1, 2, 3, 4].map(() => connectStranger())
    const peer = await connectPeer()
    await until(() => idle.some(({ isClosed }) => isClosed))
    expect(idle.map(({ goodbye }) => goodbye)).to.include('too-many-handshakes')
    expect(peer.isClosed).to.equal(false)
    await checkOthers()
  })

  it('may know more than we do: fields and elements that are unknown are passed over', async () => {
    await begin()
    const stranger = connectStranger()
    const { kind, ...fields } = HELLO
    stranger.send(packed([0, { ...fields, versions: [1, 9], colour: 'red' }, 'more']))
    stranger.send(packed([1, 'more']))
    await endpoint.waitUntilConnectedTo('stranger')
    expect(kind).to.equal('hello')
  })

  /** What a peer may try after the handshake. */
  const AFTER: readonly [what: string, bytes: Buffer, reason: string][] = [
    ['a second hello', encodeMessage(HELLO).bytes, 'unexpected-message'],
    ['a second ready', encodeMessage({ kind: 'ready' }).bytes, 'unexpected-message'],
    ['a frame over the limit', Buffer.from('00100001', 'hex'), 'frame-too-large'],
    ['an event whose payload is not msgpack', frame(Buffer.from('9305a178d9ff61', 'hex')), 'malformed'],
    ['an event whose binary is cut short', frame(Buffer.from('9305a178c40500', 'hex')), 'malformed'],
    ['an event with something behind it', frame(Buffer.from('9305a17801ff', 'hex')), 'malformed'],
    ['an event whose type is a number', packed([5, 5, 5]), 'malformed'],
    ['a subscription to a number', packed([2, 1, [{ type: 5 }]]), 'malformed'],
    ['a negative sequence', packed([2, -1, []]), 'malformed'],
    ['arrays inside each other without end', frame(Buffer.alloc(200_000, 0x91)), 'malformed'],
  ]

  for (const [what, bytes, reason] of AFTER) {
    it(`whose handshake succeeded and that sends ${what} is lost with '${reason}', and disturbs nobody`, async () => {
      await begin()
      const lost: unknown[] = []
      endpoint.on('lost', (peer, { cause }) => lost.push([peer.name, Reflect.get(cause, 'reason')]))
      endpoint.subscribe('x', () => {})
      const peer = await connectPeer()
      peer.send(bytes)
      await until(() => peer.isClosed)
      expect(peer.goodbye).to.equal(reason)
      expect(lost).to.deep.equal([['stranger', reason]])
      expect(errors.map((error) => Reflect.get(error, 'reason'))).to.deep.equal([reason])
      await checkOthers()
    })
  }

  it('G1: whose stream ends inside a frame delivers nothing of it', async () => {
    await begin()
    const received: unknown[] = []
    endpoint.subscribe('x', ({ payload }) => received.push(payload))
    const lost: unknown[] = []
    endpoint.on('lost', (_, { cause }) => lost.push(Reflect.get(cause, 'reason')))
    const peer = await connectPeer()
    const { bytes } = encodeMessage({ kind: 'event', type: 'x', payload: 'whole' })
    peer.send(Buffer.concat([bytes, bytes.subarray(0, bytes.length - 1)]))
    peer.end()
    await until(() => lost.length === 1)
    expect(received).to.deep.equal(['whole'])
    expect(lost).to.deep.equal(['frame-cut-off'])
  })

  it('delivers events in any form of msgpack, byte by byte', async () => {
    await begin()
    const received: unknown[] = []
    endpoint.subscribe('x', ({ payload, origin }) => received.push([payload, origin]))
    const peer = await connectPeer()
    for (const byte of frame(Buffer.from('dc0003cc05d90178a3796573', 'hex'))) peer.send(Buffer.of(byte))
    await until(() => received.length === 1)
    expect(received).to.deep.equal([['yes', 'stranger']])
  })

  it('gets its pings answered and its subscriptions acknowledged', async () => {
    await begin()
    const peer = await connectPeer()
    peer.say({ kind: 'ping' }, { kind: 'subscribe', sequence: 7, interests: [{ type: 'x' }] })
    await until(() => peer.heard.length >= 4)
    expect(peer.heard.slice(-2)).to.deep.equal([{ kind: 'pong' }, { kind: 'acknowledge', sequence: 7 }])
    expect(await endpoint.broadcast('x', 1)).to.equal(1)
  })

  it('G13: is unresponsive while silent, never dead, and recovers with any sign of life', async () => {
    await begin({ pingInterval: 5 })
    const changes: string[] = []
    endpoint.on('unresponsive', ({ name }) => changes.push(`${name} unresponsive`))
    endpoint.on('recovered', ({ name }) => changes.push(`${name} recovered`))
    endpoint.on('lost', ({ name }) => changes.push(`${name} lost`))
    const peer = await connectPeer()
    await until(() => changes.length === 1)
    expect(endpoint.peers.find(({ name }) => name === 'stranger')?.state).to.equal('unresponsive')
    expect(peer.heard.at(-1)).to.deep.equal({ kind: 'ping' })
    peer.say({ kind: 'pong' })
    await until(() => changes.length >= 2)
    expect(changes.slice(0, 2)).to.deep.equal(['stranger unresponsive', 'stranger recovered'])
  })

  it('that dials twice keeps its first link', async () => {
    await begin()
    const first = await connectPeer()
    const second = connectStranger()
    second.say(HELLO)
    await until(() => second.isClosed)
    expect(second.goodbye).to.equal('duplicate')
    expect(first.isClosed).to.equal(false)
    expect(endpoint.peers).to.have.length(2)
  })

  it('that takes the name of the host is told that it is in use', async () => {
    await begin()
    const stranger = connectStranger()
    stranger.say({ ...HELLO, name: 'host' })
    await until(() => stranger.isClosed)
    expect(stranger.goodbye).to.equal('name-in-use')
  })

  it('that closes before the link is up on its own side has left', async () => {
    await begin()
    const changes: string[] = []
    endpoint.on('lost', () => changes.push('lost'))
    endpoint.on('left', () => changes.push('left'))
    const peer = await connectPeer()
    peer.say({ kind: 'goodbye', reason: 'closing', text: '' })
    await until(() => changes.length === 1)
    expect(changes).to.deep.equal(['left'])
  })

  it('gets a goodbye that fits into a frame before the handshake, however much was wrong', async () => {
    await begin()
    const stranger = connectStranger()
    stranger.say({ ...HELLO, groups: Array.from({ length: 1900 }, () => '!') })
    await until(() => stranger.isClosed)
    const [goodbye] = stranger.heard
    expect(goodbye).to.include({ kind: 'goodbye', reason: 'malformed' })
    expect(goodbye?.kind === 'goodbye' && goodbye.text.length).to.be.at.most(1000)
  })

  it('may write every number with 64 bits', async () => {
    await begin()
    const peer = await connectPeer()
    peer.send(packed([2n, 7n, [{ type: 'x' }]]))
    await until(() => peer.heard.some(({ kind }) => kind === 'acknowledge'))
    expect(await endpoint.broadcast('x', 1)).to.equal(1)
  })

  it('that leaves with another word than left is lost, not left', async () => {
    await begin()
    const changes: string[] = []
    endpoint.on('lost', (_, { cause }) => changes.push(`lost ${cause.code}`))
    endpoint.on('left', () => changes.push('left'))
    const peer = await connectPeer()
    peer.say({ kind: 'goodbye', reason: 'tired', text: 'of it all' })
    await until(() => changes.length === 1)
    expect(changes).to.deep.equal(['lost LAHJA_LINK_REFUSED'])
  })

  it('leaves nothing open behind, however it went', async () => {
    await begin()
    const peer = await connectPeer()
    const idle = connectStranger()
    await Promise.all([endpoint.close(), witness.close()])
    await until(() => peer.isClosed && idle.isClosed)
    expect(peer.goodbye).to.equal('left')
    expect(readdirSync(bus.directory)).to.deep.equal([])
  })
})
