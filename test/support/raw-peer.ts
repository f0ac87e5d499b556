import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Endpoint } from '../../src'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Message, MessageOf } from '../../src/wire/message'
import { until } from './bus'

/** One end of a connection that sends the bytes of the test and records every message it receives. */
export class RawPeer {
  readonly heard: Message[] = []
  readonly socket: Socket
  isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    const reader = new FrameReader(2 ** 20, (bytes, start, end) => this.heard.push(decodeMessage(bytes, start, end)))
    socket.on('data', (chunk) => reader.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  say(...messages: Message[]): void {
    for (const message of messages) this.socket.write(encodeMessage(message).bytes)
  }

  /** The first message of this kind. Fails if the connection closes without one. */
  async hears<Kind extends Message['kind']>(kind: Kind): Promise<MessageOf<Kind>> {
    const isOne = (message: Message): message is MessageOf<Kind> => message.kind === kind
    await until(() => this.heard.some(isOne) || this.isClosed)
    return this.heard.find(isOne) ?? expect.fail(`expected ${kind}, got ${JSON.stringify(this.heard)}`)
  }

  /** The reason of the goodbye that it receives. */
  async refusal(): Promise<string> {
    return (await this.hears('goodbye')).reason
  }
}

/** Dials endpoints for the tests of the calling suite; no connection outlives its test. */
export function rawPeers() {
  const peers: RawPeer[] = []
  afterEach(() => {
    for (const { socket } of peers.splice(0)) socket.destroy()
  })
  return ({ name, id, directory }: Pick<Endpoint, 'name' | 'id' | 'directory'>): RawPeer => {
    const peer = new RawPeer(connect(join(directory, `${name}~${id}.sock`)))
    peers.push(peer)
    return peer
  }
}
