import type { Channel } from '../../src/channel/channel'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { Outbox } from '../../src/channel/outbox'
import { ReceiveWindow } from '../../src/channel/receive-window'
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits'
import type { OverflowPolicy } from '../../src/model/overflow'
import { matches } from '../../src/model/pattern'
import type { Connection } from '../../src/platform/transport'
import { decodeMessage } from '../../src/wire/codec'
import { type Frame, PREFIX_BYTES } from '../../src/wire/frame'
import { type ChannelMessage, isChannelMessage } from '../../src/wire/message'
import { idleConnection } from './idle-connection'
import { ManualClock } from './manual-clock'

export interface RecordingOptions extends Partial<Pick<Channel, 'isOwn'>> {
  /** Default: its name. */
  readonly id?: string
  readonly groups?: readonly string[]
  readonly accepts?: readonly string[]
  readonly limits?: Partial<Limits>
  /** Where its outbox writes to. Default: nobody reads. */
  readonly connection?: Connection
}

/** A channel that records told messages and returned credit, and whose other end never reads. */
export class RecordingChannel implements Channel {
  readonly identity: Channel['identity']
  readonly isOwn: boolean
  readonly sendLimit: number
  readonly takesBigints = true
  readonly takesRecords = true
  hasUnsubscribedAll = false
  isLeaving = false
  readonly requestLimit: number
  readonly outbox: Outbox
  readonly receiveWindow: ReceiveWindow
  readonly told: ChannelMessage[] = []
  isUnresponsive = false
  heard = 0
  /** The bytes of each return of credit. */
  readonly credits: number[] = []
  /** An error for `tell` to throw. */
  refusal: Error | undefined
  readonly #accepted: readonly string[] | undefined
  readonly #clock = new ManualClock()
  readonly #limits: Limits

  constructor(name: string, options: RecordingOptions = {}) {
    const { id = name, groups = [], accepts, isOwn = false, limits } = options
    this.identity = { name, id, groups }
    this.isOwn = isOwn
    this.#accepted = accepts
    this.#limits = { ...DEFAULT_LIMITS, highWaterMark: 0, ...limits }
    this.sendLimit = this.#limits.frameBytes
    this.requestLimit = this.#limits.pendingRequests
    this.receiveWindow = new ReceiveWindow(this.#limits.windowBytes, this.#clock, (bytes) => this.credits.push(bytes))
    const { connection = { ...idleConnection, write: () => false } } = options
    const budget = new MemoryBudget(this.#limits.outboxTotalBytes)
    const context = { connection, clock: this.#clock, limits: this.#limits, budget }
    this.outbox = new Outbox(context, { lagging() {}, recovered() {}, slow() {}, overflowed() {}, bulkDrained() {} })
  }

  accepts(type: string): boolean {
    return this.#accepted?.some((pattern) => matches(pattern, type)) ?? true
  }

  send(frame: Frame, policy: OverflowPolicy): boolean {
    return this.outbox.push(frame, policy)
  }

  sendMessage(message: ChannelMessage): void {
    if (this.refusal) throw this.refusal
    this.told.push(message)
  }

  sendBulk({ bytes, start, end }: Frame): void {
    const message = decodeMessage(bytes, start + PREFIX_BYTES, end)
    if (isChannelMessage(message)) this.sendMessage(message)
  }

  /** The messages told since the last call. */
  takeTold(): ChannelMessage[] {
    return this.told.splice(0)
  }

  /** Receives an event of this many bytes. */
  receive(bytes: number, handOut: () => void): void {
    this.receiveWindow.begin(bytes)
    handOut()
    this.receiveWindow.end()
  }

  /** Uses up the patience with the other end. The outbox must not be empty. */
  lag(): void {
    void this.outbox.drained()
    this.#clock.advance(this.#limits.patience)
  }
}
