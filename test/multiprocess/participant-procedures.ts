import * as v from 'valibot'
import { audience, broadcastOptions, endpointOptions } from './option-schemas'
import { command, nothing, ofEndpoint, procedure } from './procedure'
import { manner } from './work'

/** A received event: the payload's number, and its sender. */
const receivedEvent = v.object({ origin: v.string(), number: v.number() })

export type Received = v.InferOutput<typeof receivedEvent>

const noticeKind = v.picklist(['joined', 'left', 'lost', 'lagging', 'recovered', 'unresponsive', 'gap', 'error'])

export type NoticeKind = v.InferOutput<typeof noticeKind>

/** An event that a participant's endpoint has emitted. */
const notice = v.object({
  kind: noticeKind,
  /** The name of the peer, or empty. */
  peer: v.string(),
  /** Of an error or a loss: the name of the violation, else the error's code. */
  cause: v.string(),
  /** How many events the endpoint had received by then. */
  receivedBefore: v.number(),
})

export type Notice = v.InferOutput<typeof notice>

/** A peer as a participant's endpoint sees it. */
const peerReport = v.object({ name: v.string(), id: v.string(), subscriptions: v.array(v.string()) })

export type PeerReport = v.InferOutput<typeof peerReport>

/** Numbered events to broadcast. */
const burst = v.object({
  type: v.string(),
  count: v.number(),
  /** The number of the first. Default 0. */
  first: v.optional(v.number()),
  /** Bytes to put into each payload beside its number. Default none. */
  filler: v.optional(v.number()),
  options: v.optional(broadcastOptions),
})

export type Burst = v.InferOutput<typeof burst>

/** How a participant subscribes. */
const subscribeOrder = v.object({
  type: v.string(),
  from: v.optional(audience),
  queue: v.optional(v.string()),
  concurrency: v.optional(v.number()),
  // JSON writes Infinity as null.
  prefetch: v.optional(
    v.union([
      v.number(),
      v.literal('auto'),
      v.pipe(
        v.null(),
        v.transform(() => Number.POSITIVE_INFINITY),
      ),
    ]),
  ),
  manner: v.optional(manner),
  /** The directory of the work log. Default: none. */
  logs: v.optional(v.string()),
})

export type SubscribeOrder = v.InferOutput<typeof subscribeOrder>

export const start = procedure('start', endpointOptions, nothing)

/** Subscribes to a type or pattern; answers when the subscription is ready. */
export const subscribe = ofEndpoint('subscribe', subscribeOrder, nothing)

export const unsubscribe = ofEndpoint('unsubscribe', v.string(), nothing)

/** Broadcasts and awaits one event after the other. Answers to how many endpoints the last was handed. */
export const broadcast = ofEndpoint('broadcast', burst, v.number())

export const broadcastNowait = ofEndpoint('broadcastNowait', burst, nothing)

/** Notes each event of a queue that the endpoint reports as unfinished in the work log of this directory, as `reported`. */
export const logUnfinished = ofEndpoint('logUnfinished', v.string(), nothing)

/** All received events of a type, in order. */
export const received = ofEndpoint('received', v.string(), v.array(receivedEvent))

/** Answers when at least this many events of a type have been received. */
export const untilReceived = ofEndpoint('untilReceived', v.object({ type: v.string(), count: v.number() }), nothing)

/** All notices since `Endpoint.start` resolved. */
export const notices = ofEndpoint('notices', nothing, v.array(notice))

/** Answers when a notice of this kind about this peer has been emitted. */
export const untilNotice = ofEndpoint('untilNotice', v.object({ kind: noticeKind, peer: v.string() }), nothing)

export const peers = ofEndpoint('peers', nothing, v.array(peerReport))

/** Answers when there are this many peers. */
export const untilPeers = ofEndpoint('untilPeers', v.number(), nothing)

export const isConnectedTo = ofEndpoint('isConnectedTo', v.string(), v.boolean())

export const waitUntilConnectedTo = ofEndpoint('waitUntilConnectedTo', v.string(), nothing)

/** Answers when no peer is known to be subscribed to the type. */
export const untilUnsubscribed = ofEndpoint('untilUnsubscribed', v.string(), nothing)

export const close = ofEndpoint('close', nothing, nothing)

/** Closes the endpoint at the next event of this type. */
export const closeOn = ofEndpoint('closeOn', v.string(), nothing)

/** Bytes that the process has read from all its sockets. */
export const bytesRead = procedure('bytesRead', nothing, v.number())

/** Does nothing; its answer tells that earlier calls have had a turn of the event loop. */
export const echo = command('echo')

/** Makes the process go on without its parent. */
export const release = command('release')
