import type { Endpoint } from '../../src'
import { decodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Hello, Message } from '../../src/wire/message'
import { encoded } from '../support/frame-bytes'
import { helloFields } from '../support/raw-peer'
import type { ProcessGroup } from './process-group'
import * as procedures from './raw-peer-procedures'
import type { RemoteProcess } from './remote-process'
import { until } from './until'

/** A raw peer in another process. */
export class RemoteRawPeer {
  readonly #process: RemoteProcess

  private constructor(process: RemoteProcess) {
    this.#process = process
  }

  /** Dials the host and completes the handshake, with subscriptions to these types. */
  static async start(processes: ProcessGroup, host: Endpoint, wants: readonly string[] = []): Promise<RemoteRawPeer> {
    const peer = await RemoteRawPeer.dial(processes, host, {}, wants)
    await host.waitUntilConnectedTo('raw')
    return peer
  }

  /** Dials the host and sends its part of the handshake, whether the host accepts it or not. */
  static async dial(
    processes: ProcessGroup,
    { directory, name, id }: Endpoint,
    hello: Partial<Hello>,
    wants: readonly string[] = [],
  ): Promise<RemoteRawPeer> {
    const process = await processes.run('raw-peer-process.ts')
    await process.call(procedures.dial, { directory, name, id })
    const peer = new RemoteRawPeer(process)
    const interests = wants.map((type) => ({ type }))
    await peer.say(helloFields(hello), { kind: 'subscribe', sequence: 1, interests }, { kind: 'ready' })
    return peer
  }

  /** Publishes a socket file, and sends its hello to each dialler. */
  static async publish(processes: ProcessGroup, directory: string, fields: Partial<Hello>): Promise<RemoteRawPeer> {
    const process = await processes.run('raw-peer-process.ts')
    const hello = helloFields(fields)
    await process.call(procedures.listen, { directory, name: hello.name, id: hello.id, greeting: hexOf(hello) })
    return new RemoteRawPeer(process)
  }

  async say(...messages: Message[]): Promise<void> {
    await this.#process.call(procedures.write, hexOf(...messages))
  }

  /** All messages that it has received up to the time at which the host had read its own. */
  async heard(): Promise<Message[]> {
    const pongs = async () => (await this.#messages()).filter(({ kind }) => kind === 'pong').length
    const before = await pongs()
    await this.say({ kind: 'ping' })
    await until(async () => (await pongs()) > before)
    return this.#messages()
  }

  async isClosed(): Promise<boolean> {
    return (await this.#process.call(procedures.heard, undefined)).isClosed
  }

  /** Resolves when it has been dialled this many times. */
  async untilDialled(times: number): Promise<void> {
    await until(async () => (await this.#process.call(procedures.dials, undefined)) >= times)
  }

  /** All messages that it has received when the host closes the connection. Another dial may follow at any time. */
  async untilClosed(): Promise<Message[]> {
    let last = await this.#process.call(procedures.heard, undefined)
    await until(async () => {
      last = await this.#process.call(procedures.heard, undefined)
      return last.isClosed
    })
    return messagesIn(last.bytes)
  }

  async #messages(): Promise<Message[]> {
    return messagesIn((await this.#process.call(procedures.heard, undefined)).bytes)
  }
}

function hexOf(...messages: Message[]): string {
  return Buffer.concat(messages.map((message) => encoded(message))).toString('hex')
}

function messagesIn(hex: string): Message[] {
  const messages: Message[] = []
  const reader = new FrameReader(2 ** 20, (body, start, end) => messages.push(decodeMessage(body, start, end)))
  reader.push(Buffer.from(hex, 'hex'))
  return messages
}
