import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fields } from '../workers/fields'
import { type Body, bodyOf } from './body'
import { Broker, brokerVersion } from './broker'
import type { Contender, Seat, Station } from './contender'
import { missing, requirePeer } from './packages'
import { PAYLOADS } from './payload'
import { refuse } from './refuse'
import { versionOf } from './version'

/** What is used of the package. */
interface Nats {
  connect(options: { servers: string }): Promise<Connection>
}

interface Connection {
  publish(subject: string, payload: Uint8Array): void
  subscribe(subject: string, options: { callback: (error: unknown, message: { data: Uint8Array }) => void }): void
  flush(): Promise<void>
  close(): Promise<void>
}

function natsOf(value: unknown): Nats {
  if (isNats(value)) return value
  throw new TypeError('expected @nats-io/transport-node with connect')
}

function isNats(value: unknown): value is Nats {
  return typeof value === 'object' && value !== null && 'connect' in value
}

/** Published bytes after which the sender waits until the server has read them. */
const WINDOW = 1024 * 1024

/** Bytes that may wait in the server for one consumer, before it is cut off. */
const MAX_PENDING = 4 * 1024 ** 3 - 1

class NatsStation implements Station {
  readonly request = refuse
  readonly respond = refuse
  readonly #name: string
  readonly #connection: Connection
  readonly #body: Body
  #published = 0

  constructor({ name, payload }: Seat, connection: Connection) {
    this.#name = name
    this.#connection = connection
    this.#body = bodyOf(payload, 0)
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    for (const name of to) {
      this.#connection.subscribe(name, {
        callback: (error, { data }) => {
          if (error) throw error
          handler(this.#body.decode(Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
        },
      })
    }
    await this.#connection.flush()
  }

  /** Who listens has waited for the server to know. */
  async untilHeardBy(): Promise<void> {}

  send(payload: unknown): Promise<void> | undefined {
    const bytes = this.#body.encode(payload)
    this.#connection.publish(this.#name, bytes)
    this.#published += bytes.length
    return this.#published >= WINDOW ? this.flush() : undefined
  }

  async flush(): Promise<void> {
    this.#published = 0
    await this.#connection.flush()
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}

function serve(directory: string): Broker {
  const config = join(directory, 'nats.conf')
  writeFileSync(config, `host: 127.0.0.1\nport: -1\nmax_pending: ${MAX_PENDING}\nwrite_deadline: "60s"\n`)
  const log = join(directory, 'nats.log')
  const args = ['--config', config, '--ports_file_dir', directory, '--log', log]
  return new Broker('nats-server', args, () => urlIn(directory) !== undefined)
}

/** Where the server listens, as it has written it down itself. */
function urlIn(directory: string): string | undefined {
  const file = readdirSync(directory).find((name) => name.endsWith('.ports'))
  if (!file || !existsSync(join(directory, file))) return undefined
  const text = readFileSync(join(directory, file), 'utf8')
  if (!text.trim().endsWith('}')) return undefined
  return new Fields(JSON.parse(text)).list('nats', String)[0]
}

export const nats: Contender = {
  name: 'nats',
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency', 'mesh'],
  get settings() {
    return (
      `@nats-io/transport-node ${versionOf('@nats-io/transport-node', requirePeer)}, nats-server ${brokerVersion('nats-server')} over TCP loopback, ` +
      `publish() without a wait, flush() every ${WINDOW / 1024} KiB, callbacks, max_pending ${MAX_PENDING}`
    )
  },
  missing: () => missing(['@nats-io/transport-node'], ['nats-server']),
  serve,
  async join(seat) {
    const connection = await natsOf(requirePeer('@nats-io/transport-node')).connect({
      servers: urlIn(seat.directory) ?? '',
    })
    return new NatsStation(seat, connection)
  },
}
