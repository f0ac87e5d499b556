import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import type { Endpoint } from '../../src'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Hello, Message } from '../../src/wire/message'
import { until } from '../support/bus'

export const HELLO: Hello = {
  kind: 'hello',
  versions: [1, 1],
  name: 'assailant',
  id: '000000000zzzz',
  groups: [],
  pid: 1,
  frameLimit: 2 ** 20,
  window: 2 ** 20,
  requestLimit: 1024,
}

const packr = new Packr({ useRecords: false })

/** The frame of a body. */
export function framed(body: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(body.length)
  return Buffer.concat([prefix, body])
}

/** The frame of a body that is given in hexadecimal digits, with spaces where they help. */
export function hex(digits: string): Buffer {
  return framed(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
}

/** The frame of these elements, whatever they are. */
export function elements(...values: unknown[]): Buffer {
  return framed(Buffer.from(packr.pack(values)))
}

/** A bare socket that says whatever bytes it is told to. */
export class Assailant {
  readonly heard: Message[] = []
  readonly #socket: Socket
  isClosed = false

  constructor({ directory, name, id }: Endpoint) {
    this.#socket = connect(join(directory, `${name}~${id}.sock`))
    const reader = new FrameReader(2 ** 20, (bytes, start, end) => this.heard.push(decodeMessage(bytes, start, end)))
    this.#socket.on('data', (chunk) => reader.push(chunk))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.isClosed = true
    })
  }

  /** The reason of the goodbye it got. */
  get goodbye(): string | undefined {
    const last = this.heard.at(-1)
    return last?.kind === 'goodbye' ? last.reason : undefined
  }

  /** Shakes hands as it should. */
  async introduce(endpoint: Endpoint): Promise<this> {
    this.say(HELLO, { kind: 'ready' })
    await endpoint.waitUntilConnectedTo(HELLO.name)
    return this
  }

  say(...messages: Message[]): void {
    for (const message of messages) this.send(encodeMessage(message).bytes)
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Resolves when the system has taken what was sent. */
  async sendAll(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()))
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  closed(): Promise<void> {
    return until(() => this.isClosed)
  }
}
