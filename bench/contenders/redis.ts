import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Broker, brokerVersion } from './broker'
import { type MessageCodec, messageCodec } from './codec'
import type { Contender, Seat, Station } from './contender'
import { loadPeer, missing, peerVersion } from './packages'
import { PAYLOADS } from './payload'

/** The part of the package that is used. */
interface Ioredis {
  readonly Redis: new (options: { path: string }) => Client
}

interface Client extends NodeJS.EventEmitter {
  readonly stream: { cork(): void; uncork(): void }
  publish(channel: string, message: Buffer): Promise<number>
  subscribe(...channels: string[]): Promise<unknown>
  disconnect(): void
}

/** Events of one write: the package writes every command by itself. */
const BATCH = 500

/** Batches after which the sender waits for the last reply, which bounds the client's queue. */
const BATCHES = 8

class RedisStation implements Station {
  readonly #name: string
  readonly #publisher: Client
  readonly #subscriber: Client
  readonly #codec: MessageCodec
  #last: Promise<number> | undefined
  #corked = 0
  #batches = 0

  constructor({ name, directory, payload }: Seat) {
    const { Redis } = loadPeer<Ioredis>('ioredis', 'Redis')
    const path = pathIn(directory)
    this.#name = name
    this.#publisher = new Redis({ path })
    this.#subscriber = new Redis({ path })
    this.#codec = messageCodec(payload, 0)
  }

  async open(): Promise<this> {
    await Promise.all([once(this.#publisher, 'ready'), once(this.#subscriber, 'ready')])
    return this
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    this.#subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => handler(this.#codec.decode(message)))
    await this.#subscriber.subscribe(...to)
  }

  /** `listen` has waited for the server already. */
  async untilHeardBy(): Promise<void> {}

  send(payload: unknown): Promise<number> | undefined {
    if (this.#corked++ === 0) {
      this.#publisher.stream.cork()
      // A partial batch leaves at the end of the tick.
      process.nextTick(() => this.#uncork())
    }
    this.#last = this.#publisher.publish(this.#name, this.#codec.encode(payload))
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
      `ioredis ${peerVersion('ioredis')}, redis-server ${brokerVersion('redis-server')} over a Unix socket, publish() without a wait, ` +
      `${BATCH} commands a write, one of ${BATCH * BATCHES} replies awaited, no persistence, no limit of output buffers`
    )
  },
  missing: () => missing(['ioredis'], ['redis-server']),
  serve,
  join: (seat) => new RedisStation(seat).open(),
}
