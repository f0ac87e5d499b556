import { EventEmitter } from 'node:events'
import type { LahjaError } from './model/errors'
import type { Event } from './model/event'
import type { Peer } from './peers'

/** The events that an endpoint emits, and the arguments of each. */
export interface EndpointEvents {
  /** A peer is linked, and receives the events that it subscribes to from now on. */
  joined: [peer: Peer]
  /** A peer has closed. Without a listener, the first that leaves events unhandled becomes a process warning. */
  left: [peer: Peer, leftBehind: LeftBehind]
  /** The link with a peer broke. Without a listener, the first that loses events becomes a process warning. */
  lost: [peer: Peer, loss: Loss]
  /**
   * A peer has died or left with an event of a queue that it had begun, or may have, of a type without `redeliver`, or after its
   * last time. Before the `lost` or `left` that lists them. Or this endpoint closes, and the peer has not read its goodbye. Or a
   * handler has failed on one for the last time, whose type has `redeliverOnError` and no `deadLetter`.
   */
  unfinished: [unfinished: { readonly peer: Peer; readonly event: Event }]
  /** A peer has subscribed or unsubscribed, or started or stopped responding. */
  subscriptionsChanged: [peer: Peer]
  /**
   * A peer paces the senders here: `broadcast` has waited for it for more than a second, or `limits.patience` if that is
   * less, within ten seconds. `peer.waitedMs` says for how long so far.
   */
  slow: [peer: Peer]
  /**
   * A `broadcast` waited for a peer that read nothing for `limits.patience`, or used up `limits.slowShare`: none waits for it
   * any more. Once its outbox is full, its oldest events are dropped. A peer that nothing waits for never lags.
   */
  lagging: [peer: Peer]
  /** A peer is `connected` again after it was lagging or unresponsive. */
  recovered: [peer: Peer]
  /** A peer has left `limits.silentPings` pings unanswered. It may be stopped or busy, but its link is up. */
  unresponsive: [peer: Peer]
  /** An unresponsive peer has been heard from again. If it still lags, its state is `lagging`. */
  responsive: [peer: Peer]
  /**
   * A sender has dropped `count` events for this endpoint, at this point in the order of its events. Without a listener, the
   * first becomes a process warning.
   */
  gap: [gap: { readonly peer: Peer; readonly count: number }]
  /**
   * A handler or listener threw, a peer broke the protocol, the directory can't be read. Without a listener, the error
   * becomes a process warning, one a second for each reason, with the number of errors left out in the message. What peers
   * can cause as often as they like is limited so for listeners too.
   */
  error: [error: LahjaError]
}

/** Events accepted for a peer that it had not handled when it closed. docs/reliability.md compares all such counts. */
export interface LeftBehind {
  /** Queue events given to the peer and not reported as handled. */
  readonly unfinished: number
  /** Those of them that its members had begun, in order. */
  readonly unfinishedEvents: readonly Event[]
  /** All other events: those that it received and didn't handle in time, and those that it didn't receive. */
  readonly unhandled: number
}

/** Events accepted for a peer that it may not have handled when its link broke. docs/reliability.md compares all such counts. */
export interface Loss {
  /** Why the link broke. */
  readonly cause: LahjaError
  /** Events not written, or dropped and not yet announced by a `gap`; none that another member of a queue got instead. */
  readonly undelivered: number
  /**
   * Events sent, but not acknowledged. The peer may have handled them, since it acknowledges in batches. Includes
   * dropped events whose `gap` it may not have seen.
   */
  readonly unconfirmed: number
  /**
   * Queue events given to the peer and not reported as handled. It may have handled some of them. One that was being
   * written when the link broke can count as `undelivered` too.
   */
  readonly unfinished: number
  /**
   * Those of them that its members had begun, or may have, in order; what they had not begun goes to others. When
   * the link broke in a write, it is not known what they had begun last, and all that they had in hand is here.
   */
  readonly unfinishedEvents: readonly Event[]
}

/** Looked up in this, the names are listed by the compiler where one is wrong; of a `keyof` it only says so. */
type Names = { [Name in keyof EndpointEvents]: Name }
type Listener<Name> = Name extends keyof EndpointEvents ? (...args: EndpointEvents[Name]) => void : never

/** An `EventEmitter` of these events only. The types of Node let any name pass. */
export interface EndpointEmitter extends EventEmitter {
  on<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  once<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  off<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  addListener<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  removeListener<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  prependListener<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  prependOnceListener<Name extends Names[keyof Names]>(name: Name, listener: Listener<Name>): this
  removeAllListeners(name?: Names[keyof Names]): this
  emit<Name extends Names[keyof Names]>(name: Name, ...args: EndpointEvents[Name]): boolean
  listenerCount<Name extends Names[keyof Names]>(name: Name, listener?: Listener<Name>): number
}

export const EndpointEmitter: new (options: { readonly captureRejections: boolean }) => EndpointEmitter = EventEmitter
