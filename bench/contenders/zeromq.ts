import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type MessageCodec, messageCodec } from './codec'
import type { Contender, Seat, Station } from './contender'
import { loadPeer, missing, peerVersion } from './packages'
import { PAYLOADS } from './payload'

/** The part of the package that is used. */
interface Zeromq {
  readonly version: string
  readonly XPublisher: new (options: object) => Publisher
  readonly Subscriber: new (options: object) => Subscriber
}

interface Publisher {
  bind(address: string): Promise<void>
  send(message: readonly Buffer[] | Buffer): Promise<void>
  receive(): Promise<readonly Buffer[]>
  close(): void
}

interface Subscriber extends AsyncIterable<readonly Buffer[]> {
  connect(address: string): void
  subscribe(): void
  close(): void
}

/** Loaded only when it is used, as it may not be installed. */
const load = () => loadPeer<Zeromq>('zeromq', 'version', 'XPublisher', 'Subscriber')

/** Messages queued for one consumer above which the sender waits. */
export const HIGH_WATER_MARK = 100_000

/** Bytes; of a longer message the package keeps a reference instead of a copy. */
export const COPIED_BYTES = 128

class ZeromqStation implements Station {
  readonly #seat: Seat
  readonly #zeromq = load()
  readonly #codec: MessageCodec
  readonly #publisher: Publisher
  readonly #subscribers: Subscriber[] = []

  constructor(seat: Seat) {
    this.#seat = seat
    this.#codec = messageCodec(seat.payload, COPIED_BYTES)
    this.#publisher = new this.#zeromq.XPublisher({
      sendHighWaterMark: HIGH_WATER_MARK,
      noDrop: true,
      verbosity: 'allSubs',
      linger: 0,
    })
  }

  async open(): Promise<this> {
    await this.#publisher.bind(this.#addressOf(this.#seat.name))
    return this
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    for (const name of to) {
      const subscriber = new this.#zeromq.Subscriber({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 })
      this.#subscribers.push(subscriber)
      subscriber.connect(this.#addressOf(name))
      subscriber.subscribe()
      void this.#hear(subscriber, handler)
    }
  }

  async untilHeardBy(count: number): Promise<void> {
    for (let heardBy = 0; heardBy < count; heardBy++) await this.#publisher.receive()
  }

  async send(payload: unknown): Promise<void> {
    const message = this.#codec.encode(payload)
    while (!(await this.#isTaken(message))) await setImmediate()
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    for (const socket of [this.#publisher, ...this.#subscribers]) socket.close()
  }

  /** The package fails, rather than waits, while a subscriber's queue is full. */
  async #isTaken(message: Buffer): Promise<boolean> {
    try {
      await this.#publisher.send(message)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false
      throw error
    }
  }

  async #hear(subscriber: Subscriber, handler: (payload: unknown) => void): Promise<void> {
    for await (const [message] of subscriber) {
      if (message) handler(this.#codec.decode(message))
    }
  }

  #addressOf(name: string): string {
    return `ipc://${join(this.#seat.directory, `${name}.sock`)}`
  }
}

export const zeromq: Contender = {
  name: 'zeromq',
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency', 'mesh'],
  get settings() {
    return (
      `zeromq ${peerVersion('zeromq')} (libzmq ${load().version}), XPUB and SUB over ipc://, ` +
      `high-water marks of ${HIGH_WATER_MARK} messages, noDrop, await send() as it requires, again where a queue is full`
    )
  },
  missing: () => missing(['zeromq']),
  join: (seat) => new ZeromqStation(seat).open(),
}
