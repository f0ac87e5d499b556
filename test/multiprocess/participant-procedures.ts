import type { Audience, BroadcastOptions, EndpointOptions } from '../../src'
import { ofEndpoint } from './endpoint-procedure'
import { fields, flag, listOf, nothing, number, optional, text } from './parse'
import { parseAudience, parseBroadcastOptions, parseEndpointOptions } from './parse-options'
import type { Procedure } from './procedure'
import { type Manner, parseManner } from './work'

/** What a participant's endpoint has received: the payload's number, and whom from. */
export interface Received {
  readonly origin: string
  readonly number: number
}

const NOTICE_KINDS = ['joined', 'left', 'lost', 'lagging', 'recovered', 'unresponsive', 'gap', 'error'] as const

export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** What a participant's endpoint has emitted. */
export interface Notice {
  readonly kind: NoticeKind
  /** The peer it is about, if it is about one. */
  readonly peer: string
  /** Of an error or a loss: the name of the violation, else the error's code. */
  readonly cause: string
  /** How many events the endpoint had received by then. */
  readonly receivedBefore: number
}

/** A peer as a participant's endpoint sees it. */
export interface PeerReport {
  readonly name: string
  readonly id: string
  readonly subscriptions: readonly string[]
}

/** Numbered events to broadcast. */
export interface Burst {
  readonly type: string
  readonly count: number
  /** The number of the first. Default 0. */
  readonly first?: number | undefined
  /** Bytes to put into each payload beside its number. Default none. */
  readonly filler?: number | undefined
  readonly options?: BroadcastOptions | undefined
}

/** How a participant subscribes. */
export interface Wish {
  readonly type: string
  readonly from?: Audience | undefined
  readonly queue?: string | undefined
  readonly concurrency?: number | undefined
  readonly manner?: Manner | undefined
  /** Where to write down what is begun and ended. */
  readonly ledger?: string | undefined
}

export const start: Procedure<EndpointOptions, void> = {
  name: 'start',
  argument: parseEndpointOptions,
  answer: nothing,
}

/** Subscribes to a type or pattern; answers when the subscription is ready. */
export const subscribe = ofEndpoint('subscribe', parseWish, nothing)

export const unsubscribe = ofEndpoint('unsubscribe', text, nothing)

/** Broadcasts and awaits one event after the other. Answers to how many endpoints the last was handed. */
export const broadcast = ofEndpoint('broadcast', parseBurst, number)

export const broadcastNowait = ofEndpoint('broadcastNowait', parseBurst, nothing)

/** Everything received of a type, in the order in which it was. */
export const received = ofEndpoint('received', text, listOf(parseReceived))

/** Answers when at least so many events of a type have been received. */
export const untilReceived = ofEndpoint('untilReceived', parseReception, nothing)

/** Everything emitted since `Endpoint.start` has resolved. */
export const notices = ofEndpoint('notices', nothing, listOf(parseNotice))

/** Answers when a notice of this kind about this peer has been emitted. */
export const untilNotice = ofEndpoint('untilNotice', parseNoticeAbout, nothing)

export const peers = ofEndpoint('peers', nothing, listOf(parsePeer))

/** Answers when there are so many peers. */
export const untilPeers = ofEndpoint('untilPeers', number, nothing)

export const isConnectedTo = ofEndpoint('isConnectedTo', text, flag)

export const waitUntilConnectedTo = ofEndpoint('waitUntilConnectedTo', text, nothing)

/** Answers when no peer is known to be subscribed to the type. */
export const untilUnsubscribed = ofEndpoint('untilUnsubscribed', text, nothing)

export const close = ofEndpoint('close', nothing, nothing)

/** Lets the next event of this type close the endpoint. */
export const closeOn = ofEndpoint('closeOn', text, nothing)

/** Bytes that the process has read from all its sockets. */
export const bytesRead: Procedure<void, number> = { name: 'bytesRead', argument: nothing, answer: number }

/** Does nothing; its answer tells that what was asked before has had a turn of the event loop. */
export const echo: Procedure<void, void> = { name: 'echo', argument: nothing, answer: nothing }

/** Makes the process go on without its parent. */
export const release: Procedure<void, void> = { name: 'release', argument: nothing, answer: nothing }

function parseWish(value: unknown): Wish {
  const { type, from, queue, concurrency, manner, ledger } = fields(value)
  return {
    type: text(type),
    from: optional(parseAudience)(from),
    queue: optional(text)(queue),
    concurrency: optional(number)(concurrency),
    manner: optional(parseManner)(manner),
    ledger: optional(text)(ledger),
  }
}

function parseBurst(value: unknown): Burst {
  const { type, count, first, filler, options } = fields(value)
  return {
    type: text(type),
    count: number(count),
    first: optional(number)(first),
    filler: optional(number)(filler),
    options: optional(parseBroadcastOptions)(options),
  }
}

function parseReception(value: unknown): { readonly type: string; readonly count: number } {
  const { type, count } = fields(value)
  return { type: text(type), count: number(count) }
}

function parseReceived(value: unknown): Received {
  const report = fields(value)
  return { origin: text(report.origin), number: number(report.number) }
}

function parseNoticeAbout(value: unknown): Pick<Notice, 'kind' | 'peer'> {
  const { kind, peer } = fields(value)
  return { kind: parseNoticeKind(kind), peer: text(peer) }
}

function parseNotice(value: unknown): Notice {
  const { cause, receivedBefore } = fields(value)
  return { ...parseNoticeAbout(value), cause: text(cause), receivedBefore: number(receivedBefore) }
}

function parseNoticeKind(value: unknown): NoticeKind {
  const kind = NOTICE_KINDS.find((known) => known === value)
  if (kind) return kind
  throw new TypeError(`expected one of ${NOTICE_KINDS.join(', ')}, got ${JSON.stringify(value)}`)
}

function parsePeer(value: unknown): PeerReport {
  const { name, id, subscriptions } = fields(value)
  return { name: text(name), id: text(id), subscriptions: listOf(text)(subscriptions) }
}
