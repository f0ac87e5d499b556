import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import type { OverflowPolicy } from '../model/overflow'
import type { Connection } from '../platform/transport'
import type { Frame } from '../wire/frame'
import { type ChannelMessage, isChannelMessage } from '../wire/message'
import type { Channel } from './channel'
import { Inbound } from './inbound'
import { Outbox, type OutboxContext } from './outbox'
import { ReceiveWindow } from './receive-window'
import { referenceTo, referredBy, travelsByReference } from './reference'

export interface LoopbackEvents {
  readonly event: (type: string, payload: unknown, headers: EventHeaders, bytes: number) => void
  readonly gap: (count: number) => void
  readonly message: (message: ChannelMessage, bytes: number) => void
  /** The endpoint's own subscriptions lag: senders no longer wait for them. */
  readonly lagging: () => void
  /** They have caught up. */
  readonly recovered: () => void
  /** There is room for bulk messages again. */
  readonly bulkDrained: () => void
}

/**
 * The channel to an endpoint's own subscriptions. They get what a peer would get, in order, never from inside `broadcast`,
 * and within the same limits: a copy, or the payload itself if its type is internal.
 */
export class Loopback implements Channel {
  readonly identity: Channel['identity']
  readonly isOwn = true
  readonly isUnresponsive = false
  readonly takesBigints = true
  readonly takesRecords = true
  readonly hasUnsubscribedAll = false
  readonly isLeaving = false
  readonly sendLimit: number
  readonly requestLimit: number
  readonly outbox: Outbox
  readonly receiveWindow: ReceiveWindow
  readonly #connection: Connection
  #heard = 0

  constructor(identity: Channel['identity'], context: Omit<OutboxContext, 'connection'>, events: LoopbackEvents) {
    const { clock, limits } = context
    this.identity = identity
    this.sendLimit = limits.frameBytes
    this.requestLimit = limits.pendingRequests
    this.receiveWindow = new ReceiveWindow(limits.windowBytes, clock, (bytes, events) =>
      this.outbox.credit(bytes, events),
    )
    const inbound = new Inbound(limits.frameBytes, true, this.receiveWindow, {
      event: events.event,
      message: (message, bytes) => {
        if (isChannelMessage(message)) events.message(message, bytes)
        else if (message.kind === 'event')
          events.event(message.type, message.payload, message.headers ?? NO_HEADERS, bytes)
        else if (message.kind === 'gap') events.gap(message.count)
      },
    })
    const connection: Connection = {
      attach: () => {},
      write: (chunks, done) => {
        clock.nextTurn(() => {
          this.#heard++
          try {
            for (const chunk of chunks) {
              const message = referredBy(chunk)
              if (message) inbound.pushMessage(message, chunk.length)
              else inbound.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
            }
          } finally {
            done()
          }
        })
        return false
      },
      end: () => {},
      linger: () => {},
      destroy: () => inbound.stop(),
    }
    this.#connection = connection
    this.outbox = new Outbox({ ...context, connection }, { ...events, slow: () => {}, overflowed: () => {} })
    this.outbox.window = limits.windowBytes
  }

  /** Closes at once. Returns the number of events that were not delivered. */
  close(): number {
    const { undelivered } = this.outbox.close()
    this.#connection.destroy()
    this.outbox.discard()
    this.receiveWindow.stop()
    return undelivered
  }

  get heard(): number {
    return this.#heard
  }

  /** Always: boundaries and `accepts` are for events from outside. */
  accepts(): boolean {
    return true
  }

  send(frame: Frame, policy: OverflowPolicy): boolean {
    // There is no link to close.
    return this.outbox.push(frame, policy.kind === 'disconnect' ? { kind: 'dropOldest' } : policy)
  }

  sendMessage(message: ChannelMessage): void {
    if (message.kind === 'return' && travelsByReference(message.type)) this.sendBulk(referenceTo(message))
    else this.outbox.pushMessage(message, this.sendLimit)
  }

  sendBulk(frame: Frame, isOrdered?: boolean): void {
    this.outbox.pushBulk(frame, isOrdered)
  }
}
