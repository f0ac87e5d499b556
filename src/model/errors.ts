import { types } from 'node:util'
import type { Event } from './event'
import { asError, messageOf, textOf } from './thrown'

/** The codes of all errors of this package, one for each class. */
export type LahjaErrorCode =
  | 'LAHJA_ABORTED'
  | 'LAHJA_ALREADY_RESPONDING'
  | 'LAHJA_BOUNDARY_CROSSED'
  | 'LAHJA_CLOSE_TIMEOUT'
  | 'LAHJA_CONNECTION_FAILED'
  | 'LAHJA_DIRECTORY_REFUSED'
  | 'LAHJA_ENDPOINT_CLOSED'
  | 'LAHJA_HANDLER_ERROR'
  | 'LAHJA_INVALID_ARGUMENT'
  | 'LAHJA_INVALID_PAYLOAD'
  | 'LAHJA_LINK_REFUSED'
  | 'LAHJA_NAME_IN_USE'
  | 'LAHJA_NO_SUBSCRIBERS'
  | 'LAHJA_OUTBOX_OVERFLOW'
  | 'LAHJA_PATH_TOO_LONG'
  | 'LAHJA_PAYLOAD_TOO_LARGE'
  | 'LAHJA_PROTOCOL_VIOLATION'
  | 'LAHJA_REMOTE_DISCONNECTED'
  | 'LAHJA_REMOTE_ERROR'
  | 'LAHJA_REQUEST_TIMEOUT'
  | 'LAHJA_UNAUTHENTICATED'
  | 'LAHJA_UNEXPECTED_RESPONSE'
  | 'LAHJA_UNSERIALIZABLE_PAYLOAD'
  | 'LAHJA_WAIT_TIMEOUT'

/**
 * The base class of every error that this package throws, rejects with or emits as `error`. The subclass names the
 * cause; the message says what happened and, where you can do something about it, what to do; an underlying error is the
 * `cause`.
 */
export abstract class LahjaError extends Error {
  /** A stable name for programs, such as `LAHJA_NAME_IN_USE`. */
  abstract readonly code: LahjaErrorCode

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    // Defined, as an assignment fails if the program has frozen `Error.prototype`.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true })
  }
}

/** An argument or option is invalid. The message says "expected …, got …". */
export class InvalidArgument extends LahjaError {
  readonly code = 'LAHJA_INVALID_ARGUMENT'
}

/**
 * The bus directory can't be created or used, or isn't safe: others could read it, or replace sockets in it. The message
 * says what is wrong with it; an error of the operating system is the `cause`.
 */
export class DirectoryRefused extends LahjaError {
  readonly code = 'LAHJA_DIRECTORY_REFUSED'
}

/**
 * The path of a socket is longer than the operating system allows: 107 bytes on Linux, 103 elsewhere. Choose a shorter
 * directory or endpoint name.
 */
export class PathTooLong extends LahjaError {
  readonly code = 'LAHJA_PATH_TOO_LONG'
}

/**
 * Another live endpoint on the bus has the name. Thrown by `Endpoint.start`; emitted if another endpoint takes the name
 * after the socket file was removed, and this one closes.
 */
export class NameInUse extends LahjaError {
  readonly code = 'LAHJA_NAME_IN_USE'
  /** The id of the endpoint that has the name, if it is known. */
  readonly holder: string | undefined

  constructor(message: string, options?: ErrorOptions & { readonly holder?: string | undefined }) {
    super(message, options)
    this.holder = options?.holder
  }
}

/** `close()` has been called on the endpoint. Pending waits and requests reject with it too. */
export class EndpointClosed extends LahjaError {
  readonly code = 'LAHJA_ENDPOINT_CLOSED'
}

/**
 * `close()` reached its `timeout` before its peers had read everything that was queued for them, or half of it before its
 * own handlers and streams had taken everything that had arrived. The endpoint is closed.
 */
export class CloseTimeout extends LahjaError {
  readonly code = 'LAHJA_CLOSE_TIMEOUT'
  /** The number of events that were not written, or were written and not acknowledged, by peer name. */
  readonly undelivered: ReadonlyMap<string, number>
  /**
   * The number of events that had arrived and were not handled, by event type. Those of queues that no other member could
   * have are reported as `NoSubscribers` too, one by one.
   */
  readonly unhandled: ReadonlyMap<string, number>

  constructor(message: string, undelivered: ReadonlyMap<string, number>, unhandled: ReadonlyMap<string, number>) {
    super(message)
    this.undelivered = undelivered
    this.unhandled = unhandled
  }
}

/**
 * No endpoint takes the event or request: for a broadcast with `requireSubscriber`, for a request, and for a queue event
 * whose member has left and that no other member may have.
 */
export class NoSubscribers extends LahjaError {
  readonly code = 'LAHJA_NO_SUBSCRIBERS'
  /** The event of a queue that is lost, as its last member has left. */
  readonly event: Event | undefined

  constructor(message: string, { event, ...options }: ErrorOptions & { readonly event?: Event } = {}) {
    super(message, options)
    this.event = event
  }
}

/**
 * The payload contains a value that can't be encoded, such as a function, or that its receiver, of an older version, doesn't
 * take: an integer over 64 bits. The message names the path to it. What a getter or `toJSON` of the payload threw is the
 * `cause`.
 */
export class UnserializablePayload extends LahjaError {
  readonly code = 'LAHJA_UNSERIALIZABLE_PAYLOAD'
}

/** The encoded payload is larger than `limits.frameBytes` of this endpoint or of a receiver. */
export class PayloadTooLarge extends LahjaError {
  readonly code = 'LAHJA_PAYLOAD_TOO_LARGE'
}

/** One problem that a schema found in a payload. */
export interface PayloadIssue {
  /** The schema's own message. */
  readonly message: string
  /** Where in the payload: keys from the outside in. Undefined for the payload as a whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/**
 * A payload doesn't match the schema of its definition, or the schema failed: then what it threw is the `cause`. Thrown
 * by the sender's call; emitted by a receiver, which drops the event, and by a responder.
 */
export class InvalidPayload extends LahjaError {
  readonly code = 'LAHJA_INVALID_PAYLOAD'
  /** What the schema found; empty if the schema itself failed. */
  readonly issues: readonly PayloadIssue[]
  /** Where it has arrived: the event or request that doesn't match, or whose response doesn't; undefined elsewhere. */
  event: Event | undefined

  constructor(message: string, issues: readonly PayloadIssue[], options?: ErrorOptions) {
    super(message, options)
    this.issues = issues
  }
}

/**
 * A peer sent an event or request that this endpoint doesn't let in, because of the boundary of its type or the option
 * `accepts`. Only emitted; the event or request is dropped.
 */
export class BoundaryCrossed extends LahjaError {
  readonly code = 'LAHJA_BOUNDARY_CROSSED'
}

/** This endpoint already responds to the type. */
export class AlreadyResponding extends LahjaError {
  readonly code = 'LAHJA_ALREADY_RESPONDING'
}

/** The error that a responder's handler threw, as sent to the asker. */
export interface RemoteFailure {
  /** Its `name`, such as `TypeError`. */
  readonly name: string
  readonly message: string
  /** Its `code`, if it is a string or a number, as a string. */
  readonly code?: string | undefined
  /** Only if the responder set `sendStack`. */
  readonly stack?: string | undefined
}

/** The responder's handler threw, its schema rejected the request or response, or its response could not be sent. */
export class RemoteError extends LahjaError {
  readonly code = 'LAHJA_REMOTE_ERROR'
  /** The responder's name. */
  readonly origin: string
  /** What the responder threw. */
  readonly remote: RemoteFailure

  constructor(message: string, origin: string, remote: RemoteFailure) {
    super(`${message}: ${remote.name}: ${remote.message}`)
    this.origin = origin
    this.remote = remote
  }
}

/** No response came within the request's `timeout`. */
export class RequestTimeout extends LahjaError {
  readonly code = 'LAHJA_REQUEST_TIMEOUT'
}

/** The link to the responder ended before its response arrived. It may or may not have handled the request. */
export class RemoteDisconnected extends LahjaError {
  readonly code = 'LAHJA_REMOTE_DISCONNECTED'
}

/** The response doesn't match the asker's schema; the `InvalidPayload` is the `cause`. */
export class UnexpectedResponse extends LahjaError {
  readonly code = 'LAHJA_UNEXPECTED_RESPONSE'
}

/** A wait, such as `waitFor`, reached its `timeout`. */
export class WaitTimeout extends LahjaError {
  readonly code = 'LAHJA_WAIT_TIMEOUT'
}

/** The `signal` of a call aborted; its reason is the `cause`. */
export class AbortError extends LahjaError {
  readonly code = 'LAHJA_ABORTED'
}

/**
 * A handler, or a listener of one of the endpoint's own events, threw or rejected; what it threw is the `cause`. Only
 * emitted: the next event is handled as usual.
 */
export class HandlerError extends LahjaError {
  readonly code = 'LAHJA_HANDLER_ERROR'
  /** The event or request whose handler failed; undefined for a listener. */
  readonly event: Event | undefined
  /** The stack of what was thrown. Node prints it with a process warning. */
  readonly detail: string

  constructor(message: string, { cause, event }: { readonly cause: Error; readonly event?: Event | undefined }) {
    super(message, { cause })
    this.event = event
    this.detail = textOf(() => cause.stack ?? '')
  }
}

/** Listening failed, or a connection broke. An error of the operating system is the `cause`. */
export class ConnectionFailed extends LahjaError {
  readonly code = 'LAHJA_CONNECTION_FAILED'
}

/** A link ended for a reason of the protocol. */
export abstract class LinkError<Reason extends string = string> extends LahjaError {
  /** One of the reasons listed in docs/protocol.md. */
  readonly reason: Reason
  /** The peer; undefined if it had not said who it is. */
  peer: { readonly name: string; readonly id: string } | undefined

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(reason === 'unauthenticated' ? message : `${reason}: ${message}`, options)
    this.reason = reason
  }

  /** @internal Says which peer it is about. */
  about(peer: { readonly name: string; readonly id: string }): this {
    this.peer = { name: peer.name, id: peer.id }
    if (!this.message.includes(peer.id)) this.message = `${peer.name}~${peer.id}: ${this.message}`
    return this
  }
}

/** A peer refused or closed the link and gave a reason. */
export class LinkRefused extends LinkError {
  readonly code = 'LAHJA_LINK_REFUSED'
}

/**
 * An endpoint didn't prove that it knows the secret of the bus, or this one didn't prove it to a peer. Check the option
 * `secret` of both. The message contains neither the secret nor a proof.
 */
export class Unauthenticated extends LinkError<'unauthenticated'> {
  readonly code = 'LAHJA_UNAUTHENTICATED'

  constructor(message: string, options?: ErrorOptions) {
    super('unauthenticated', message, options)
  }
}

/**
 * A peer was disconnected because it didn't read: its queue was full and the overflow policy is `disconnect`, or too much
 * waited for it that can't be dropped. Or an event of a queue was dropped, as too much waited for its members.
 */
export class OutboxOverflow extends LahjaError {
  readonly code = 'LAHJA_OUTBOX_OVERFLOW'
  /** The event of a queue that was dropped. */
  readonly event: Event | undefined

  constructor(message: string, { event, ...options }: ErrorOptions & { readonly event?: Event } = {}) {
    super(message, options)
    this.event = event
  }
}

/** Why a link was closed: what its peer did wrong. */
export type ViolationReason =
  | 'frame-too-large'
  | 'frame-empty'
  | 'malformed'
  | 'unexpected-message'
  | 'window-exceeded'
  | 'too-many-interests'
  | 'wrong-peer'
  | 'version-mismatch'
  | 'handshake-timeout'
  | 'too-many-handshakes'

/** A peer broke the protocol. Its link is closed; all other links stay up. */
export class ProtocolViolation extends LinkError<ViolationReason> {
  readonly code = 'LAHJA_PROTOCOL_VIOLATION'
}

/** An error shows the name of its class. Minifiers change those, but no keys. */
const classes = {
  AbortError,
  AlreadyResponding,
  BoundaryCrossed,
  CloseTimeout,
  ConnectionFailed,
  DirectoryRefused,
  EndpointClosed,
  HandlerError,
  InvalidArgument,
  InvalidPayload,
  LinkError,
  LinkRefused,
  NameInUse,
  NoSubscribers,
  OutboxOverflow,
  PathTooLong,
  PayloadTooLarge,
  ProtocolViolation,
  RemoteDisconnected,
  RemoteError,
  RequestTimeout,
  Unauthenticated,
  UnexpectedResponse,
  UnserializablePayload,
  WaitTimeout,
}
for (const [name, value] of Object.entries(classes)) Object.defineProperty(value, 'name', { value: name })

/** The error for an argument or option. */
export function invalid(option: string, expected: string, got: unknown): InvalidArgument {
  return new InvalidArgument(`${option}: expected ${expected}, got ${describe(got)}`)
}

/** Describes a value for the end of an "expected X, got Y" message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 80 ? `'${value.slice(0, 80)}…'` : `'${value}'`
  if (types.isProxy(value)) return 'a proxy'
  if (typeof value === 'function') {
    const name = textOf(() => value.name)
    return `a function${name ? ` (${name})` : ''}`
  }
  if (typeof value === 'bigint') return isShort(value) ? `${value}n` : `a bigint of ${bytesOf(value)} bytes`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value === null || typeof value !== 'object') return String(value)
  const name = textOf(() => Object.getPrototypeOf(value)?.constructor?.name ?? '')
  return name && name !== 'Object' ? `an instance of ${name}` : 'an object'
}

/** A larger integer is not shown: to write its digits takes long. */
const SHOWN_BITS = 256

function isShort(value: bigint): boolean {
  return BigInt.asIntN(SHOWN_BITS, value) === value
}

/** The length of its two's complement. Found by halving, as to write its digits takes long. */
function bytesOf(value: bigint): number {
  const fits = (bytes: number) => BigInt.asIntN(8 * bytes, value) === value
  let most = SHOWN_BITS
  while (!fits(most)) most *= 2
  let least = 1
  while (least < most) {
    const middle = Math.floor((least + most) / 2)
    if (fits(middle)) most = middle
    else least = middle + 1
  }
  return most
}

/** A `LahjaError` as it is; anything else as a `DirectoryRefused` of the bus directory. */
export function asDirectoryError(location: string, thrown: unknown): LahjaError {
  if (thrown instanceof LahjaError) return thrown
  const cause = asError(thrown)
  return new DirectoryRefused(`${location}: ${cause.message}`, { cause })
}

/** The error of a call that failed as the system has no descriptors or memory left. */
export function exhausted(what: string, cause: Error): ConnectionFailed {
  return new ConnectionFailed(`${what}; raise the limit of open files (ulimit -n)`, { cause })
}

/** A copy of an error with another message. */
export function withMessage(error: LahjaError, message: string): LahjaError {
  // A new error, as only such an object is an error for Node too.
  const copy: LahjaError = Object.setPrototypeOf(new Error(), Object.getPrototypeOf(error))
  const value = { value: message, configurable: true, writable: true }
  return Object.defineProperties(copy, { ...Object.getOwnPropertyDescriptors(error), message: value })
}

/** The error of a handler or listener that failed. */
export function handlerError(what: string, thrown: unknown, event?: Event): HandlerError {
  const cause = asError(thrown)
  return new HandlerError(`${what}: ${messageOf(cause)}`, { cause, event })
}
