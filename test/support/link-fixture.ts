import { MemoryBudget } from '../../src/channel/memory-budget'
import { helloOf } from '../../src/mesh/agreement'
import { Link, type LinkContext, type PaceChange } from '../../src/mesh/link'
import type { LinkEnding } from '../../src/mesh/link-ending'
import type { Secret } from '../../src/mesh/secret'
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits'
import type { Connection, ConnectionEvents } from '../../src/platform/transport'
import { decodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Hello, Message } from '../../src/wire/message'
import { encoded } from './frame-bytes'
import { idleConnection } from './idle-connection'
import { ManualClock } from './manual-clock'
import { helloFields } from './raw-peer'

export const PEER_HELLO = helloFields({ name: 'shop', id: '1h2j3k4l5m6n7', requestLimit: 16 })

export interface LinkFixtureOptions {
  readonly limits?: Partial<Limits>
  readonly secret?: Secret | undefined
}

/** A link that a peer has dialled. The test is the peer, the owner of the link, and the clock. */
export class LinkFixture {
  readonly clock = new ManualClock()
  readonly link: Link
  /** What the peer was sent. */
  readonly received: Message[] = []
  /** The link's pace changes, each with the state at that time: `change: state`. */
  readonly paces: `${PaceChange}: ${string}`[] = []
  ending: LinkEnding | undefined
  /** Whether the peer's kernel takes what it is sent. */
  isReading = true
  #unread: (() => void)[] = []
  #events: ConnectionEvents | undefined

  constructor({ limits, secret }: LinkFixtureOptions = {}) {
    const reader = new FrameReader(2 ** 20, (bytes, start, end) => {
      this.received.push(decodeMessage(bytes, start, end))
    })
    const connection: Connection = {
      ...idleConnection,
      attach: (events) => {
        this.#events = events
      },
      write: (chunks, done) => {
        reader.push(Buffer.concat(chunks))
        if (!this.isReading) this.#unread.push(done)
        return this.isReading
      },
    }
    const context: LinkContext = {
      clock: this.clock,
      limits: { ...DEFAULT_LIMITS, ...limits },
      secret,
      hello: () => {
        const self = { name: 'till', id: '0000000000abc', groups: [], pid: 2, accepts: undefined }
        return helloOf({ ...self, frameLimit: 2 ** 20, window: 65_536, requestLimit: 16 }, secret?.nonce())
      },
      interest: () => [],
      budget: new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes),
      events: {
        identified() {},
        up() {},
        closed: (_, ending) => {
          this.ending = ending
        },
      },
      traffic: {
        event() {},
        message() {},
        interest() {},
        gap() {},
        bulkDrained() {},
        hasWaitingFor: () => false,
        nothingWaitsFor: async () => {},
        pace: (link, change) => this.paces.push(`${change}: ${link.state}`),
      },
    }
    this.link = new Link(context, connection, undefined)
  }

  /** The peer sends these messages. */
  say(...messages: Message[]): void {
    for (const message of messages) this.sayBytes(encoded(message))
  }

  sayBytes(bytes: Buffer): void {
    this.#events?.data(bytes)
  }

  /** Takes the link up. */
  connect(hello: Partial<Hello> = {}): this {
    this.say({ ...PEER_HELLO, ...hello })
    this.link.accept()
    this.say({ kind: 'ready' })
    this.clock.turn()
    return this
  }

  /** The peer's kernel takes everything it was sent, and whatever comes. Resolves when the outbox is empty. */
  async read(): Promise<void> {
    this.isReading = true
    for (const done of this.#unread.splice(0)) done()
    await this.link.outbox.flushed()
  }

  leave(): Promise<void> {
    const left = this.link.leave()
    this.clock.turn()
    return left
  }
}
