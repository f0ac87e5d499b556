import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { Broker, brokerVersion } from './broker'
import { type MessageCodec, messageCodec } from './codec'
import type { Contender, Seat, Station } from './contender'
import { loadPeer, missing, peerVersion } from './packages'
import { PAYLOADS } from './payload'

/** The part of the package that is used. */
interface Nats {
  connect(options: { servers: string }): Promise<Connection>
}

interface Connection {
  publish(subject: string, payload: Uint8Array): void
  subscribe(subject: string, options: Subscribing): void
  flush(): Promise<void>
  close(): Promise<void>
}

interface Subscribing {
  readonly callback: (error: unknown, message: { data: Uint8Array }) => void
  /** A group of which one member gets each message. */
  readonly queue?: string
}

/** Published bytes after which the sender waits for the server to read them. */
const WINDOW = 1024 * 1024

/** Bytes queued in the server for one consumer above which it is disconnected. */
const MAX_PENDING = 4 * 1024 ** 3 - 1

class NatsStation implements Station {
  readonly #name: string
  readonly #connection: Connection
  readonly #codec: MessageCodec
  readonly #group: Pick<Subscribing, 'queue'>
  #published = 0

  constructor({ name, payload, mode }: Seat, connection: Connection) {
    this.#name = name
    this.#group = mode === 'queue' ? { queue: 'bench' } : {}
    this.#connection = connection
    this.#codec = messageCodec(payload, 0)
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    const callback: Subscribing['callback'] = (error, { data }) => {
      if (error) throw error
      handler(this.#codec.decode(Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
    }
    for (const name of to) {
      this.#connection.subscribe(name, { callback, ...this.#group })
      this.#connection.subscribe(markOf(name), { callback })
    }
    await this.#connection.flush()
  }

  /** `listen` has waited for the server already. */
  async untilHeardBy(): Promise<void> {}

  send(payload: unknown): Promise<void> | undefined {
    const bytes = this.#codec.encode(payload)
    this.#connection.publish(this.#name, bytes)
    this.#published += bytes.length
    return this.#published >= WINDOW ? this.flush() : undefined
  }

  /** The server sends to each consumer in the order in which it was published. */
  async sendToEach(payload: unknown): Promise<void> {
    this.#connection.publish(markOf(this.#name), this.#codec.encode(payload))
    await this.flush()
  }

  async flush(): Promise<void> {
    this.#published = 0
    await this.#connection.flush()
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}

/** The subject of what goes to each consumer, also in a queue. */
function markOf(name: string): string {
  return `${name}.mark`
}

function serve(directory: string): Broker {
  const config = join(directory, 'nats.conf')
  writeFileSync(config, `host: 127.0.0.1\nport: -1\nmax_pending: ${MAX_PENDING}\nwrite_deadline: "60s"\n`)
  const log = join(directory, 'nats.log')
  const args = ['--config', config, '--ports_file_dir', directory, '--log', log]
  return new Broker('nats-server', args, () => urlIn(directory) !== undefined)
}

/** The address of the server, from the file that it writes once it listens. */
function urlIn(directory: string): string | undefined {
  const file = readdirSync(directory).find((name) => name.endsWith('.ports'))
  const text = file && existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : ''
  return text.trim().endsWith('}') ? v.parse(Ports, JSON.parse(text)).nats[0] : undefined
}

const Ports = v.object({ nats: v.array(v.string()) })

export const nats: Contender = {
  name: 'nats',
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency', 'mesh', 'queue'],
  get settings() {
    return (
      `@nats-io/transport-node ${peerVersion('@nats-io/transport-node')}, nats-server ${brokerVersion('nats-server')} over TCP loopback, ` +
      `publish() without a wait, flush() every ${WINDOW / 1024} KiB, callbacks, max_pending ${MAX_PENDING}`
    )
  },
  missing: () => missing(['@nats-io/transport-node'], ['nats-server']),
  serve,
  async join(seat) {
    const { connect } = loadPeer<Nats>('@nats-io/transport-node', 'connect')
    return new NatsStation(seat, await connect({ servers: urlIn(seat.directory) ?? '' }))
  },
}
