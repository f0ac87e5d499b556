import type { Remainder } from './channel/outbox'
import type { LahjaError } from './model/errors'
import type { Peer } from './peers'

/** The events that an endpoint emits, and the arguments of each. */
export interface EndpointEvents {
  /** A peer is linked: from now on it gets the events that it is subscribed to. */
  joined: [peer: Peer]
  /** A peer has said goodbye. `unfinished`: events of queues that it was given and did not report as handled. */
  left: [peer: Peer, remainder: Pick<Loss, 'unfinished'>]
  /** The link with a peer broke. */
  lost: [peer: Peer, loss: Loss]
  /** A peer has subscribed or unsubscribed, or begun or ceased to respond. */
  subscriptionsChanged: [peer: Peer]
  /** A peer has used up `limits.patience`: senders no longer wait for it, and its oldest events make room for new ones. */
  lagging: [peer: Peer]
  /** A peer is `connected` again after it was lagging or unresponsive. */
  recovered: [peer: Peer]
  /** A peer has not been heard of for `limits.silentPings` pings. It may be stopped or busy; it is not gone. */
  unresponsive: [peer: Peer]
  /** An unresponsive peer has spoken. If it still lags, its state is `lagging`. */
  responsive: [peer: Peer]
  /** A sender has dropped `count` events for this endpoint, at this place in the order of its events. */
  gap: [gap: { readonly peer: Peer; readonly count: number }]
  /**
   * A handler or listener threw, a frame was refused, the directory can't be read. Without a listener, it becomes a
   * process warning.
   */
  error: [error: LahjaError]
}

/** The events that were accepted for a peer and not handled there for certain, when its link broke. */
export interface Loss extends Remainder {
  /** Why the link broke. */
  readonly cause: LahjaError
  /** Events still queued in this process that no other endpoint got instead. */
  readonly undelivered: number
  /**
   * Events sent, but not acknowledged. The peer may have handled them, since it acknowledges in batches. Includes
   * dropped events whose gap it may not have read.
   */
  readonly unconfirmed: number
  /**
   * Events of queues that were given to the peer and not reported as handled. It may have handled some of them. One that
   * was being written when the link broke can be among `undelivered` too.
   */
  readonly unfinished: number
}
