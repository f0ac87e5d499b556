import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Body, bodyOf } from './body'
import { Broker, brokerVersion } from './broker'
import type { Contender, Seat, Station } from './contender'
import { missing, requirePeer } from './packages'
import { PAYLOADS } from './payload'
import { refuse } from './refuse'
import { versionOf } from './version'

/** What is used of the package. */
type Redis = new (options: { path: string }) => Client

interface Client extends NodeJS.EventEmitter {
  readonly stream: { cork(): void; uncork(): void }
  publish(channel: string, message: Buffer): Promise<number>
  subscribe(...channels: string[]): Promise<unknown>
  disconnect(): void
}

function redisOf(value: unknown): Redis {
  if (isRedis(value)) return value
  throw new TypeError('expected ioredis, which is a class')
}

function isRedis(value: unknown): value is Redis {
  return typeof value === 'function'
}

/** Events that are written together: commands one by one would be written one by one. */
const BATCH = 500

/** Batches after which the sender waits for the last reply, so that what waits in the client stays bounded. */
const BATCHES = 8

class RedisStation implements Station {
  readonly request = refuse
  readonly respond = refuse
  readonly #name: string
  readonly #publisher: Client
  readonly #subscriber: Client
  readonly #body: Body
  #last: Promise<number> | undefined
  #corked = 0
  #batches = 0

  constructor({ name, directory, payload }: Seat, redis: Redis) {
    const path = pathIn(directory)
    this.#name = name
    this.#publisher = new redis({ path })
    this.#subscriber = new redis({ path })
    this.#body = bodyOf(payload, 0)
  }

  async open(): Promise<this> {
    await Promise.all([once(this.#publisher, 'ready'), once(this.#subscriber, 'ready')])
    return this
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    this.#subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => handler(this.#body.decode(message)))
    await this.#subscriber.subscribe(...to)
  }

  /** Who listens has waited for the server to know. */
  async untilHeardBy(): Promise<void> {}

  send(payload: unknown): Promise<number> | undefined {
    if (this.#corked++ === 0) {
      this.#publisher.stream.cork()
      // What is not full leaves at the end of the tick.
      process.nextTick(() => this.#uncork())
    }
    this.#last = this.#publisher.publish(this.#name, this.#body.encode(payload))
    if (this.#corked < BATCH) return undefined
    this.#uncork()
    return ++this.#batches % BATCHES === 0 ? this.#last : undefined
  }

  async flush(): Promise<void> {
    this.#uncork()
    await this.#last
  }

  async close(): Promise<void> {
    this.#publisher.disconnect()
    this.#subscriber.disconnect()
  }

  #uncork(): void {
    if (this.#corked === 0) return
    this.#corked = 0
    this.#publisher.stream.uncork()
  }
}

function pathIn(directory: string): string {
  return join(directory, 'redis.sock')
}

function serve(directory: string): Broker {
  const path = pathIn(directory)
  const persistence = ['--save', '', '--appendonly', 'no']
  const limits = ['--client-output-buffer-limit', 'pubsub 0 0 0']
  const args = ['--port', '0', '--unixsocket', path, '--dir', directory, ...persistence, ...limits]
  return new Broker('redis-server', args, () => existsSync(path))
}

export const redis: Contender = {
  name: 'redis',
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency', 'mesh'],
  get settings() {
    return (
      `ioredis ${versionOf('ioredis', requirePeer)}, redis-server ${brokerVersion('redis-server')} over a Unix socket, publish() without a wait, ` +
      `${BATCH} commands a write, one of ${BATCH * BATCHES} replies awaited, no persistence, no limit of output buffers`
    )
  },
  missing: () => missing(['ioredis'], ['redis-server']),
  serve,
  join: (seat) => new RedisStation(seat, redisOf(requirePeer('ioredis'))).open(),
}
