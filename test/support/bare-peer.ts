import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Endpoint } from '../../src'
import type { Interest } from '../../src/model/interest'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import { type Hello, isChannelMessage, type Message, type MessageOf } from '../../src/wire/message'
import { until } from './bus'

const HELLO: Hello = {
  kind: 'hello',
  versions: [1, 1],
  name: 'bare',
  id: '000000000zzzz',
  groups: [],
  pid: 1,
  frameLimit: 2 ** 20,
  window: 2 ** 20,
  requestLimit: 1024,
}

/** A peer that is only a socket: records every message it receives, and sends the messages that the test gives it. */
export class BarePeer {
  readonly heard: Message[] = []
  readonly #socket: Socket
  #sequence = 0
  isClosed = false
  /** Messages that it answers a goodbye with. */
  lastWords: readonly Message[] = []
  /** Whether it acknowledges interests at once. */
  acknowledges = true

  constructor({ directory, name, id }: Endpoint, hello: Partial<Hello>) {
    this.#socket = connect(join(directory, `${name}~${id}.sock`))
    const reader = new FrameReader(2 ** 20, (bytes, start, end) => this.#hear(decodeMessage(bytes, start, end)))
    this.#socket.on('data', (chunk) => reader.push(chunk))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.isClosed = true
    })
    this.say({ ...HELLO, ...hello }, { kind: 'ready' })
  }

  /** Sends all messages in one write. */
  say(...messages: Message[]): void {
    if (messages.length === 0) return
    this.#socket.write(Buffer.concat(messages.map((message) => encodeMessage(message).bytes)))
  }

  /** Sends raw bytes. */
  sayBytes(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Announces interests; resolves when the endpoint has acknowledged them. */
  async want(...interests: Interest[]): Promise<void> {
    const sequence = ++this.#sequence
    this.say({ kind: 'subscribe', sequence, interests })
    await until(() => this.heardOf('acknowledge').some((message) => message.sequence === sequence))
  }

  /** The received messages of one kind. */
  heardOf<Kind extends Message['kind']>(kind: Kind): MessageOf<Kind>[] {
    return this.heard.filter((message): message is MessageOf<Kind> => message.kind === kind)
  }

  /** The types of the received events, assignments and requests, in order. */
  get types(): string[] {
    return this.heard.flatMap((message) => {
      return (message.kind === 'event' || isChannelMessage(message)) && 'type' in message ? [message.type] : []
    })
  }

  /** Withdraws an interest. */
  waive(...interests: Interest[]): void {
    this.say({ kind: 'unsubscribe', sequence: ++this.#sequence, interests })
  }

  /** Stops reading until `resume`. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #hear(message: Message): void {
    this.heard.push(message)
    if (message.kind === 'goodbye') this.say(...this.lastWords)
    if (message.kind !== 'subscribe' && message.kind !== 'unsubscribe') return
    if (this.acknowledges) this.say({ kind: 'acknowledge', sequence: message.sequence })
  }
}

/** Links bare peers with endpoints for the tests of the suite that calls this; none outlives its test. */
export function barePeers() {
  const peers: BarePeer[] = []
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.destroy()
  })
  return async (endpoint: Endpoint, hello: Partial<Hello> = {}): Promise<BarePeer> => {
    const peer = new BarePeer(endpoint, hello)
    peers.push(peer)
    await endpoint.waitUntilConnectedTo(hello.name ?? HELLO.name)
    return peer
  }
}
