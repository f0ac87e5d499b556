import { join } from 'node:path'
import type { Endpoint } from '../../src'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Hello, Message } from '../../src/wire/message'
import * as procedures from './intruder-procedures'
import type { ProcessGroup } from './process-group'
import type { RemoteProcess } from './remote-process'
import { until } from './until'

const HELLO: Hello = {
  kind: 'hello',
  versions: [1, 1],
  name: 'intruder',
  id: '000000000zzzz',
  groups: [],
  pid: 1,
  frameLimit: 2 ** 20,
  window: 2 ** 20,
  requestLimit: 1024,
}

/** A bare socket in another process, that knows no rule of the bus but the form of its messages. */
export class Intruder {
  readonly #process: RemoteProcess

  private constructor(process: RemoteProcess) {
    this.#process = process
  }

  /** One whose handshake has succeeded, and that has said what it wants. */
  static async start(processes: ProcessGroup, host: Endpoint, wants: readonly string[] = []): Promise<Intruder> {
    const intruder = await Intruder.greet(processes, host, {}, wants)
    await host.waitUntilConnectedTo(HELLO.name)
    return intruder
  }

  /** One that has said who it is and what it wants, whatever the host may think of it. */
  static async greet(
    processes: ProcessGroup,
    host: Endpoint,
    hello: Partial<Hello>,
    wants: readonly string[] = [],
  ): Promise<Intruder> {
    const process = await processes.run('intruder-process.ts')
    await process.call(procedures.dial, join(host.directory, `${host.name}~${host.id}.sock`))
    const intruder = new Intruder(process)
    const interests = wants.map((type) => ({ type }))
    await intruder.say({ ...HELLO, ...hello }, { kind: 'subscribe', sequence: 1, interests }, { kind: 'ready' })
    return intruder
  }

  /** One that is on the bus to be dialled, and says who it is to whoever does. */
  static async publish(processes: ProcessGroup, directory: string, hello: Partial<Hello>): Promise<Intruder> {
    const process = await processes.run('intruder-process.ts')
    const greeting = Buffer.from(encodeMessage({ ...HELLO, ...hello }).bytes).toString('hex')
    const path = join(directory, `${HELLO.name}~${HELLO.id}.sock`)
    await process.call(procedures.listen, { path, greeting })
    return new Intruder(process)
  }

  async say(...messages: Message[]): Promise<void> {
    const bytes = Buffer.concat(messages.map((message) => encodeMessage(message).bytes))
    await this.#process.call(procedures.write, bytes.toString('hex'))
  }

  /** Everything that has been said to it until the host had read what it has said itself. */
  async heard(): Promise<Message[]> {
    const before = (await this.#messages()).filter(isPong).length
    await this.say({ kind: 'ping' })
    await until(async () => (await this.#messages()).filter(isPong).length > before)
    return this.#messages()
  }

  async isClosed(): Promise<boolean> {
    return (await this.#caught()).isClosed
  }

  /** Resolves when it has been dialled so many times. */
  async untilDialled(times: number): Promise<void> {
    await until(async () => (await this.#process.call(procedures.dials, undefined)) >= times)
  }

  /** Everything that has been said to it until the host has closed. Whoever dials it again may do so at any moment. */
  async lastWords(): Promise<Message[]> {
    let last = await this.#caught()
    await until(async () => {
      last = await this.#caught()
      return last.isClosed
    })
    return messagesIn(last)
  }

  async #messages(): Promise<Message[]> {
    return messagesIn(await this.#caught())
  }

  #caught(): Promise<procedures.Catch> {
    return this.#process.call(procedures.caught, undefined)
  }
}

function messagesIn({ bytes }: procedures.Catch): Message[] {
  const messages: Message[] = []
  const reader = new FrameReader(2 ** 20, (body, start, end) => messages.push(decodeMessage(body, start, end)))
  reader.push(Buffer.from(bytes, 'hex'))
  return messages
}

function isPong({ kind }: Message): boolean {
  return kind === 'pong'
}
