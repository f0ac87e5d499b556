import { CloseTimeout, Endpoint, type LahjaError, ProtocolViolation } from '../../src'
import { settingsOf } from '../../src/options'
import type { Connection, ConnectionEvents, Listener, Transport } from '../../src/platform/transport'
import { decodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'
import { encoded } from '../support/frame-bytes'
import { ManualClock } from '../support/manual-clock'
import { helloFields } from '../support/raw-peer'
import { turn } from '../support/workbench'
import { Finding } from './finding'
import type { Random } from './random'

const FRAME_LIMIT = 1024 * 1024

const HELLO = helloFields()

/** The reasons with which invalid bytes may end a link. */
const REASONS = [
  'frame-too-large',
  'frame-empty',
  'malformed',
  'unexpected-message',
  'window-exceeded',
  'too-many-interests',
  'version-mismatch',
]

/** A connection that records everything written to it. */
class RecordingConnection implements Connection {
  readonly written: Message[] = []
  readonly #reader = new FrameReader(FRAME_LIMIT, (bytes, start, end) =>
    this.written.push(decodeMessage(bytes, start, end)),
  )
  events: ConnectionEvents | undefined
  isDestroyed = false

  attach(events: ConnectionEvents): void {
    this.events = events
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#reader.push(Buffer.from(chunk))
    return true
  }

  end(): void {}

  linger(): void {
    this.isDestroyed = true
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

/** A bus without files and other endpoints. */
class EmptyBus implements Transport {
  readonly location = 'nowhere'
  accept: (connection: Connection) => void = () => {}

  async open(): Promise<void> {}

  async publish(_: unknown, accept: (connection: Connection) => void): Promise<Listener> {
    this.accept = accept
    return { isPublished: async () => true, republish: async () => {}, withdraw: async () => {}, keepAlive: () => {} }
  }

  async scan(): Promise<[]> {
    return []
  }

  async inspect(): Promise<undefined> {}

  async dial(): Promise<{ readonly kind: 'absent' }> {
    return { kind: 'absent' }
  }

  async remove(): Promise<void> {}

  watch(): { stop(): void } {
    return { stop() {} }
  }
}

/** Milliseconds in which one error is reported for each reason. */
const SECOND = 1000

/** A complete endpoint without real sockets and time, with subscriptions, queues, streams and responders. */
export class Host {
  readonly #bus = new EmptyBus()
  readonly #clock = new ManualClock()
  #endpoint: Endpoint | undefined
  #errors: LahjaError[] = []

  async start(): Promise<void> {
    const world = { transport: this.#bus, clock: this.#clock }
    const endpoint = await Endpoint.startIn(world, settingsOf({ name: 'host', directory: '/nowhere', watch: false }))
    this.#endpoint = endpoint
    endpoint.on('error', (error) => this.#errors.push(error))
    for (const type of ['order.>', 't', 'tick']) endpoint.subscribe(type, () => {})
    endpoint.subscribe('order.*', () => {}, { queue: 'mailers' })
    const dealt = { queue: 'mailers', concurrency: 2, prefetch: Number.POSITIVE_INFINITY, from: { group: 'web' } }
    endpoint.subscribe('*', async () => turn(), dealt)
    endpoint.respond('order.get', ({ payload }) => payload)
    endpoint.respond('x', async () => {
      throw new RangeError('no')
    })
  }

  /** Receives a stream, before or after a handshake. At most the link ends, with a known reason. */
  async take(stream: Buffer, isIntroduced: boolean, random: Random): Promise<void> {
    const connection = new RecordingConnection()
    // Errors of a kind are reported once a second: what is left of earlier streams must not be taken for this one's.
    this.#clock.advance(SECOND)
    this.#errors = []
    this.#bus.accept(connection)
    const { events } = connection
    if (!events) throw new Finding('expected a connection that is accepted to be read')
    if (isIntroduced) {
      for (const message of [HELLO, { kind: 'ready' } as const]) events.data(encoded(message))
      if (!this.#endpoint?.isConnectedTo(HELLO.name)) throw new Finding('expected a link after a handshake')
    }
    for (let offset = 0; offset < stream.length && !connection.isDestroyed; ) {
      const chunk = Buffer.from(stream.subarray(offset, offset + 1 + random.below(random.once(3) ? 16 : 4096)))
      events.data(chunk)
      offset += chunk.length
      if (random.once(4)) this.#clock.turn()
      if (random.once(8)) await this.#broadcast({ id: offset })
    }
    await this.#rest(random)
    this.#checkEnd(connection)
    events.end()
    if (random.once(2)) events.closed(undefined)
    await this.#rest(random)
    if (!connection.isDestroyed) throw new Finding('expected a connection that has ended to be closed')
    if (this.#endpoint?.peers.length !== 0) throw new Finding('expected no peer to stay that is gone')
  }

  async close(): Promise<void> {
    let isClosed = false
    const closed = this.#endpoint?.close({ timeout: 0 }).catch((error) => {
      // What waits for a member that was made up is told.
      if (!(error instanceof CloseTimeout)) throw error
    })
    void closed?.finally(() => {
      isClosed = true
    })
    while (closed && !isClosed) {
      this.#clock.turn()
      await turn()
    }
    await closed
  }

  /** A broadcast may wait until the turn is over. */
  async #broadcast(payload: object): Promise<void> {
    let isOver = false
    const broadcast = this.#endpoint?.broadcast('order.placed', payload).finally(() => {
      isOver = true
    })
    for (let turns = 0; turns < 100 && !isOver; turns++) {
      this.#clock.turn()
      await turn()
    }
    if (!isOver) throw new Finding('expected a broadcast to wait for no peer as fast as this')
    await broadcast
  }

  async #rest(random: Random): Promise<void> {
    this.#clock.turn()
    await turn()
    this.#clock.turn()
    if (random.once(10)) this.#clock.advance(20)
  }

  #checkEnd({ isDestroyed, written }: RecordingConnection): void {
    for (const error of this.#errors) {
      if (error instanceof ProtocolViolation) continue
      if (error.cause instanceof TypeError || error.cause instanceof ReferenceError) {
        throw new Finding(`expected no such error: ${error.message}`, error)
      }
    }
    if (!isDestroyed) return
    const violation = this.#errors.find((error) => error instanceof ProtocolViolation)
    const last = written.at(-1)
    if (!violation) return
    if (last?.kind !== 'goodbye' || !REASONS.includes(last.reason)) {
      throw new Finding(`expected a goodbye with the name of a violation, got ${JSON.stringify(last)}`, violation)
    }
  }
}
