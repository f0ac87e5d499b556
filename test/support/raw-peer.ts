import { existsSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import type { Endpoint } from '../../src'
import type { Interest } from '../../src/model/interest'
import { decodeNextMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import { type Hello, isChannelMessage, type Message, type MessageOf } from '../../src/wire/message'
import { ToldShapes } from '../../src/wire/told-shapes'
import { until } from './bus'
import { encoded, frameAround } from './frame-bytes'

/** A valid hello with these fields. */
export function helloFields<Fields extends Partial<Hello>>(fields?: Fields) {
  return {
    kind: 'hello',
    versions: [1, 1],
    name: 'raw',
    id: '000000000zzzz',
    groups: [],
    pid: 1,
    frameLimit: 2 ** 20,
    window: 2 ** 20,
    requestLimit: 1024,
    ...fields,
  } as const satisfies Hello
}

const packr = new Packr({ useRecords: false })

/** A frame around one packed value, valid as a message or not. */
export function packedFrame(value: unknown): Buffer {
  return frameAround(packr.pack(value))
}

type Target = Pick<Endpoint, 'directory' | 'name' | 'id'>

function pathOf({ directory, name, id }: Target): string {
  return join(directory, `${name}~${id}.sock`)
}

/** One end of a connection that sends exactly what the test tells it to, and decodes what it receives. */
export class RawPeer {
  readonly socket: Socket
  readonly heard: Message[] = []
  isClosed = false
  /** Messages that answer a goodbye. */
  lastWords: readonly Message[] = []
  /** Whether interests are acknowledged at once. */
  acknowledges = false
  readonly #shapes = new ToldShapes()
  #sequence = 0

  constructor(socket: Socket) {
    this.socket = socket
    const reader = new FrameReader(2 ** 20, (bytes, start, end) => {
      this.#hear(decodeNextMessage(bytes, start, end, this.#shapes))
    })
    socket.on('data', (chunk) => reader.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  static dial(target: Target): RawPeer {
    return new RawPeer(connect(pathOf(target)))
  }

  /** Sends all messages in one write. */
  say(...messages: Message[]): void {
    if (messages.length > 0) this.sayBytes(Buffer.concat(messages.map((message) => encoded(message))))
  }

  sayBytes(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** Resolves when the kernel has taken all bytes. */
  sendAll(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()))
  }

  /** Completes a handshake. */
  async introduce(endpoint: Endpoint, hello: Hello = helloFields()): Promise<this> {
    this.say(hello, { kind: 'ready' })
    await endpoint.waitUntilConnectedTo(hello.name)
    return this
  }

  /** Announces interests; resolves when the endpoint has acknowledged them. */
  async want(...interests: Interest[]): Promise<void> {
    const sequence = ++this.#sequence
    this.say({ kind: 'subscribe', sequence, interests })
    await until(() => this.heardOf('acknowledge').some((message) => message.sequence === sequence))
  }

  /** Withdraws interests. */
  waive(...interests: Interest[]): void {
    this.say({ kind: 'unsubscribe', sequence: ++this.#sequence, interests })
  }

  /** The received messages of one kind. */
  heardOf<Kind extends Message['kind']>(kind: Kind): MessageOf<Kind>[] {
    return this.heard.filter((message): message is MessageOf<Kind> => message.kind === kind)
  }

  /** Resolves with the first message of this kind; fails if the connection is closed without one. */
  async hears<Kind extends Message['kind']>(kind: Kind): Promise<MessageOf<Kind>> {
    await until(() => this.heardOf(kind).length > 0 || this.isClosed)
    const [message] = this.heardOf(kind)
    if (message) return message
    throw new Error(`expected ${kind}, got ${JSON.stringify(this.heard)}`)
  }

  /** The reason of the goodbye that it received last. */
  get goodbye(): string | undefined {
    const last = this.heard.at(-1)
    return last?.kind === 'goodbye' ? last.reason : undefined
  }

  /** The types of the received events, assignments and requests, in order. */
  get types(): string[] {
    return this.heard.flatMap((message) => {
      return (message.kind === 'event' || isChannelMessage(message)) && 'type' in message ? [message.type] : []
    })
  }

  /** Stops reading until `resume`. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  closed(): Promise<void> {
    return until(() => this.isClosed)
  }

  #hear(message: Message): void {
    this.heard.push(message)
    if (message.kind === 'shape') this.#shapes.add(message.keys)
    if (message.kind === 'goodbye') this.say(...this.lastWords)
    if (message.kind !== 'subscribe' && message.kind !== 'unsubscribe') return
    if (!this.acknowledges) return
    const isComplete = message.kind === 'unsubscribe' && message.isLast ? true : undefined
    this.say({ kind: 'acknowledge', sequence: message.sequence, isComplete })
  }
}

/** A socket file whose connections are raw peers. */
export class RawListener {
  readonly path: string
  /** One for each connection, in order. */
  readonly peers: RawPeer[] = []
  readonly #server: Server

  constructor(target: Target, connected: (peer: RawPeer, count: number) => void) {
    this.path = pathOf(target)
    this.#server = createServer((socket) => {
      const peer = new RawPeer(socket)
      connected(peer, this.peers.push(peer))
    })
    this.#server.listen(this.path)
  }

  get openConnections(): number {
    return this.peers.filter(({ socket }) => !socket.destroyed).length
  }

  /** Resolves when the socket file exists. */
  async listening(): Promise<this> {
    await until(() => existsSync(this.path))
    return this
  }

  close(): void {
    this.#server.close()
    for (const peer of this.peers) peer.destroy()
  }
}

/** Raw peers for the tests of the calling suite; none outlives its test. */
export function rawPeers() {
  const peers: RawPeer[] = []
  const listeners: RawListener[] = []
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.destroy()
    for (const listener of listeners.splice(0)) listener.close()
  })
  const raw = {
    /** A connection that has sent nothing yet. */
    dial(target: Target): RawPeer {
      const peer = RawPeer.dial(target)
      peers.push(peer)
      return peer
    },
    /** A connection with a finished handshake, which acknowledges interests. */
    connect(endpoint: Endpoint, hello: Partial<Hello> = {}): Promise<RawPeer> {
      const peer = raw.dial(endpoint)
      peer.acknowledges = true
      return peer.introduce(endpoint, helloFields(hello))
    },
    /** Publishes a socket file. */
    listen(target: Target, connected: (peer: RawPeer, count: number) => void): Promise<RawListener> {
      const listener = new RawListener(target, connected)
      listeners.push(listener)
      return listener.listening()
    },
    /** Publishes a socket file; `answer` is called after the first bytes of each connection. */
    listenAndAnswer(target: Target, answer: (peer: RawPeer, count: number) => void): Promise<RawListener> {
      return raw.listen(target, (peer, count) => peer.socket.once('data', () => answer(peer, count)))
    },
  }
  return raw
}
