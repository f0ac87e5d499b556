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

/** A peer that is nothing but a socket: it keeps every frame that it is sent, and says what it is told to say. */
export class BarePeer {
  readonly heard: Message[] = []
  readonly #socket: Socket
  #sequence = 0
  isClosed = false
  /** What it says when it hears a goodbye. */
  lastWords: readonly Message[] = []
  /** Does it confirm at once what it hears of subscriptions? */
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

  /** All in one piece. */
  say(...messages: Message[]): void {
    if (messages.length === 0) return
    this.#socket.write(Buffer.concat(messages.map((message) => encodeMessage(message).bytes)))
  }

  /** Sends bytes as they are. */
  sayBytes(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Subscribes, or begins to respond; resolves when the endpoint has taken note of it. */
  async want(...interests: Interest[]): Promise<void> {
    const sequence = ++this.#sequence
    this.say({ kind: 'subscribe', sequence, interests })
    await until(() => this.heardOf('acknowledge').some((message) => message.sequence === sequence))
  }

  /** What it has been sent of one kind. */
  heardOf<Kind extends Message['kind']>(kind: Kind): MessageOf<Kind>[] {
    return this.heard.filter((message): message is MessageOf<Kind> => message.kind === kind)
  }

  /** The types of the events, assignments and requests that it has been sent, in their order. */
  get types(): string[] {
    return this.heard.flatMap((message) => {
      return (message.kind === 'event' || isChannelMessage(message)) && 'type' in message ? [message.type] : []
    })
  }

  /** Ends a subscription, or ceases to respond. */
  waive(...interests: Interest[]): void {
    this.say({ kind: 'unsubscribe', sequence: ++this.#sequence, interests })
  }

  /** Reads nothing more until it resumes. */
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
